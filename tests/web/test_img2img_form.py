"""The img2img tab's form and the pictures beside it, made into requests."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import MaskedContent
from modules.imaging import load_picture
from modules.infotext import read_infotext, to_request_values
from modules.web.form_requests import batch_values_of_form, request_of_form
from modules.web.img2img_pictures import Subtab
from modules.web.img2img_tab import img2img_tab
from modules.web.menus import read_menus
from modules.web.reading import ParameterReader
from modules.web.ui_config import UiConfig

WANTED_IDS = """
img2img_toprow img2img_prompt img2img_neg_prompt img2img_generate img2img_interrupt img2img_skip img2img_tools
interrogate deepbooru img2img_styles img2img_extra_tabs img2img_settings mode_img2img img2img_img2img_tab
img2img_img2img_sketch_tab img2img_inpaint_tab img2img_inpaint_sketch_tab img2img_inpaint_upload_tab img2img_batch_tab
img2img_image img2img_sketch img2maskimg inpaint_sketch img_inpaint_base img_inpaint_mask img2img_copy_to_img2img
img2img_copy_to_sketch img2img_copy_to_inpaint img2img_copy_to_inpaint_sketch resize_mode img2img_mask_blur
img2img_mask_alpha img2img_mask_mode img2img_inpainting_fill img2img_inpaint_full_res img2img_inpaint_full_res_padding
img2img_sampling img2img_scheduler img2img_steps img2img_column_size img2img_tabs_resize img2img_tab_resize_to
img2img_tab_resize_by img2img_width img2img_height img2img_res_switch_btn img2img_detect_image_size_btn img2img_scale
img2img_scale_resolution_preview img2img_batch_count img2img_batch_size img2img_cfg_scale img2img_denoising_strength
img2img_seed img2img_subseed_show img2img_override_settings img2img_script_container img2img_results img2img_gallery
html_info_img2img html_log_img2img generation_info_img2img
"""
WIDTH, HEIGHT = 40, 24
PIXELS = np.random.default_rng(4).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
RED = (255, 0, 0)
PAINTED = (slice(4, 12), slice(10, 30))


@pytest.fixture(scope="module")
def blocks_and_form(house):
    import gradio as gr

    house.change_settings({"sd_model_checkpoint": "tiny-sd1.safetensors"})
    with gr.Blocks() as blocks:
        form = img2img_tab(
            house, read_menus(house), UiConfig({"img2img/Masked content/value": "latent noise"})
        )
    return blocks, form


@pytest.fixture(scope="module")
def form(blocks_and_form):
    return blocks_and_form[1]


def file_of(pixels, mode=None):
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def painting(colour=RED, scale=1):
    """What was painted, on nothing; a large picture is painted upon at a smaller size."""
    layer = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    layer[PAINTED] = (*colour, 255)
    return file_of(layer[::scale, ::scale])


def values_of(form, mode, **more):
    values = {name: control.value for name, control in form.controls.items()}
    pictures = {"init_images": [file_of(PIXELS)], "drawing": None, "mask": None}
    return {**values, "width": 64, "height": 64, "mode": mode, **pictures, **more}


def asked_for(form, mode, **more):
    return request_of_form("img2img", values_of(form, mode, **more))


def pixels_of(text):
    return np.asarray(load_picture("picture", text).convert("RGB"))


def mask_of(request):
    return np.asarray(load_picture("mask", request.mask).convert("L"))


def only_painted(value=255):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[PAINTED] = value
    return mask


def test_every_element_that_the_field_knows_by_id_is_on_the_tab_once(blocks_and_form):
    ids = [block.elem_id for block in blocks_and_form[0].blocks.values() if block.elem_id]
    assert {name: ids.count(name) for name in re.findall(r"\S+", WANTED_IDS) if ids.count(name) != 1} == {}


def test_the_untouched_form_redraws_the_picture_with_the_pages_defaults(form):
    request = asked_for(form, Subtab.IMG2IMG)
    assert (pixels_of(request.init_images[0]) == PIXELS).all()
    assert (request.mask, request.denoising_strength, request.resize_mode) == (None, 0.75, 0)
    assert (request.luma_strength, request.chroma_strength) == (None, None)
    assert request.inpainting_fill is MaskedContent.LATENT_NOISE  # the user's file of defaults says so


def test_a_sketch_is_the_picture_with_what_was_painted_on_it(form):
    request = asked_for(form, Subtab.SKETCH, drawing=painting())
    expected = PIXELS.copy()
    expected[PAINTED] = RED
    assert (pixels_of(request.init_images[0]) == expected).all()
    assert request.mask is None


def test_the_brush_of_inpaint_is_the_mask_and_leaves_the_picture_alone(form):
    request = asked_for(form, Subtab.INPAINT, drawing=painting())
    assert (pixels_of(request.init_images[0]) == PIXELS).all()
    assert (mask_of(request) == only_painted()).all()


def test_what_was_painted_at_a_smaller_size_is_brought_to_the_pictures(form):
    mask = mask_of(asked_for(form, Subtab.INPAINT, drawing=painting(scale=2)))
    assert mask.shape == (HEIGHT, WIDTH)
    assert np.mean((mask > 127) != (only_painted() > 127)) < 0.1


@pytest.mark.parametrize("subtab", [Subtab.INPAINT, Subtab.INPAINT_UPLOAD])
def test_transparent_parts_of_the_picture_are_the_mask(form, subtab):
    alpha = 255 - only_painted()
    see_through = file_of(np.dstack([PIXELS, alpha]))
    assert (mask_of(asked_for(form, subtab, init_images=[see_through])) == only_painted()).all()


def test_an_uploaded_mask_goes_as_it_is(form):
    mask = file_of(only_painted())
    assert asked_for(form, Subtab.INPAINT_UPLOAD, mask=mask).mask == mask


def test_an_inpaint_sketch_starts_from_the_colours_and_masks_where_they_differ(form):
    request = asked_for(form, Subtab.INPAINT_SKETCH, drawing=painting(), mask_blur=0)
    expected = PIXELS.copy()
    expected[PAINTED] = RED
    assert (mask_of(request) == only_painted()).all()
    assert (pixels_of(request.init_images[0]) == expected).all()


def test_the_mask_of_an_inpaint_sketch_is_seen_through_as_far_as_asked_for(form):
    request = asked_for(form, Subtab.INPAINT_SKETCH, drawing=painting(), mask_blur=0, mask_alpha=60)
    assert (mask_of(request) == only_painted(round(255 * 0.4))).all()
    colours = pixels_of(request.init_images[0])[PAINTED].astype(int)
    nearer = np.abs(colours - PIXELS[PAINTED]).mean() < np.abs(colours - np.array(RED)).mean()
    assert nearer


def test_an_outpaint_canvas_brings_size_and_mask_and_is_drawn_whole(form):
    request = asked_for(
        form,
        Subtab.OUTPAINT,
        mask=file_of(only_painted()),
        width=80,
        height=96,
        size_mode=1,
        inpaint_full_res=True,
    )
    assert (request.width, request.height, request.inpaint_full_res) == (80, 96, False)
    assert request.inpainting_fill is MaskedContent.ORIGINAL


@pytest.mark.parametrize(
    ("subtab", "more", "field", "sentence"),
    [
        (Subtab.IMG2IMG, {"init_images": []}, "init_images", "There is no picture on the sub-tab img2img"),
        (Subtab.SKETCH, {"init_images": []}, "init_images", "There is no picture on the sub-tab Sketch"),
        (Subtab.INPAINT, {}, "mask", "Nothing is painted"),
        (Subtab.INPAINT_SKETCH, {}, "mask", "Nothing is painted"),
        (Subtab.INPAINT_UPLOAD, {}, "mask", "There is no mask"),
        (Subtab.OUTPAINT, {}, "mask", "without its mask"),
        (Subtab.IMG2IMG, {"init_images": ["data:image/png;base64,AAAA"]}, "init_images", "not a picture"),
        (Subtab.SKETCH, {"drawing": "AAAA"}, "drawing", "not a picture"),
        (Subtab.IMG2IMG, {"size_mode": 1, "scale_by": None}, "scale_by", "give a number"),
        (11, {}, "mode", "no sub-tab 11"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(form, subtab, more, field, sentence):
    with pytest.raises(InvalidRequest, match=sentence) as refusal:
        asked_for(form, subtab, **more)
    assert refusal.value.field == field


@pytest.mark.parametrize("inverted", [0, 1])
def test_an_uploaded_mask_that_masks_nothing_is_said_in_a_sentence(form, inverted):
    mask = file_of(np.full((64, 64), 255 * inverted, np.uint8), "L")
    with pytest.raises(InvalidRequest, match="nothing would be drawn") as refused:
        asked_for(form, Subtab.INPAINT_UPLOAD, mask=mask, inpainting_mask_invert=inverted)
    assert refused.value.field == "mask"


def test_an_empty_mask_that_is_inverted_means_all_of_the_picture(form):
    assert not mask_of(asked_for(form, Subtab.INPAINT, inpainting_mask_invert=1)).any()


@pytest.mark.parametrize(("factor", "size"), [(4, (160, 96)), (2.3, (88, 64)), (0.05, (64, 64))])
def test_resizing_by_a_factor_counts_from_the_picture(form, factor, size):
    request = asked_for(form, Subtab.IMG2IMG, size_mode=1, scale_by=factor)
    assert (request.width, request.height) == size


def test_luma_and_chroma_have_a_say_while_their_fold_is_ticked(form):
    strengths = {"luma_strength": 0.2, "chroma_strength": 0.9}
    assert asked_for(form, Subtab.IMG2IMG, **strengths).luma_strength is None
    ticked = asked_for(form, Subtab.IMG2IMG, apart_shown=True, **strengths)
    assert (ticked.luma_strength, ticked.chroma_strength) == (0.2, 0.9)


def test_a_generation_text_put_into_the_form_makes_the_request_that_it_tells_of(form):
    text = (
        "a cat\nSteps: 9, Sampler: Euler a, CFG scale: 3.5, Seed: 5, Size: 64x128, Denoising strength: 0.4, "
        "Mask blur: 7, Mask mode: Inpaint not masked, Inpaint area: Only masked, Masked area padding: 12, "
        "Masked content: latent nothing"
    )
    updates = dict(zip(form.controls, form.updates(to_request_values(read_infotext(text))), strict=True))
    read = {name: update["value"] for name, update in updates.items() if "value" in update}
    values = values_of(form, Subtab.INPAINT, drawing=painting()) | read
    request = request_of_form("img2img", values)
    assert (request.denoising_strength, request.blur, request.inpainting_mask_invert) == (0.4, (7, 7), 1)
    assert (request.inpaint_full_res, request.inpaint_full_res_padding) == (True, 12)
    assert (request.inpainting_fill, request.width) == (MaskedContent.LATENT_NOTHING, 64)


def test_a_batch_takes_the_form_without_pictures_and_one_size_or_a_factor_for_each(form):
    values = values_of(form, Subtab.BATCH)
    fields, scale_by = batch_values_of_form({**values, "scale_by": 2})
    assert (fields["denoising_strength"], scale_by) == (0.75, None)
    assert batch_values_of_form({**values, "size_mode": 1, "scale_by": 2})[1] == 2


def test_a_tab_that_there_is_not_is_said():
    with pytest.raises(InvalidRequest, match="no tab inpaint"):
        request_of_form("inpaint", {})


def test_a_job_read_into_the_form_asks_for_the_same_again(house, form):
    more = {
        "resize_mode": 2,
        "denoising_strength": 0.3,
        "apart_shown": True,
        "luma_strength": 0.1,
        "steps": 1,
    }
    masking = {"inpainting_fill": 1, "inpaint_full_res": True, "inpaint_full_res_padding": 16, "mask_blur": 2}
    values = values_of(form, Subtab.INPAINT, drawing=painting(), seed=4, **more, **masking)
    job = house.submit_request(request_of_form("img2img", values), client="page img2img", save=False)
    assert house.queue.wait(job, 120)
    updates = ParameterReader(house, form).read_job(job.id)
    read = {
        name: update["value"]
        for name, update in zip(form.controls, updates, strict=True)
        if "value" in update
    }
    expected = {**more, **masking, "chroma_strength": 1, "width": 64, "seed": 4, "size_mode": 0}
    assert {name: read[name] for name in expected} == expected
