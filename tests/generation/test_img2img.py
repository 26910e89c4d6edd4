"""Image to image: what is masked changes, what is not stays to the bit, and bad pictures are refused."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import Order, make_order, parse_img2img, picture_bytes
from modules.generation.canvas import make_canvas
from modules.imaging import Box, blur_mask
from modules.infotext import read_infotext, to_request_values

from .drawing import TINY, Recorder, pixels

CONTENTS = (0, 1, 2, 3)


def encoded(image: Image.Image, kind: str = "PNG", **arguments) -> str:
    file = io.BytesIO()
    image.save(file, kind, **arguments)
    return base64.b64encode(file.getvalue()).decode()


def noise(width: int, height: int, seed: int = 0, channels: int = 3) -> Image.Image:
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (height, width, channels), dtype=np.uint8))


def rectangle(width: int, height: int, box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", (width, height))
    mask.paste(255, box)
    return mask


@pytest.fixture
def redraw(house):
    """A function from a picture and request values to the pictures made of it, as arrays."""

    def redraw(image, mask=None, settings=None, watcher=None, save=False, **values):
        texts = {"init_images": [encoded(each) for each in (image if isinstance(image, list) else [image])]}
        if mask is not None:
            texts["mask"] = encoded(mask)
        request = parse_img2img({**TINY, "denoising_strength": 0.75, **texts, **values})
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **(settings or {})})
        run = house.engine.plan(request, options, house.styles, save=save)
        return house.engine.make(run, watcher or Recorder())

    return redraw


@st.composite
def inpaintings(draw):
    """A picture of an odd size, a mask over it, and how it is inpainted."""
    width, height = draw(st.integers(33, 104)), draw(st.integers(33, 104))
    seed, speckled = draw(st.integers(0, 1 << 30)), draw(st.booleans())
    generator = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    if speckled:
        mask[generator.random((height, width)) < draw(st.sampled_from([0.001, 0.3, 0.9]))] = 255
    left, top = draw(st.integers(0, width - 8)), draw(st.integers(0, height - 8))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    mask[top:bottom, left:right] = 255
    whole = draw(st.booleans())
    if whole:  # drawn at its own size: only then is there nothing to resize
        width, height = (side // 8 * 8 + 32 for side in (width, height))
        mask = np.pad(mask, [(0, max(height - mask.shape[0], 0)), (0, max(width - mask.shape[1], 0))])
        mask = mask[:height, :width]
    return noise(width, height, seed), mask, whole


@pytest.mark.parametrize("content", CONTENTS)
@settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(inpainting=inpaintings(), padding=st.integers(0, 40), square=st.booleans())
def test_what_is_not_masked_comes_back_as_it_went_in(redraw, content, inpainting, padding, square):
    picture, mask, whole = inpainting
    size = picture.size if whole else (64, 64) if square else (96, 64)
    result = redraw(
        picture, Image.fromarray(mask), mask_blur=0, inpainting_fill=content, inpaint_full_res=not whole,
        inpaint_full_res_padding=padding, steps=1, width=size[0], height=size[1],
    )  # fmt: skip
    made, kept = pixels(result)[0], mask == 0
    assert made.shape == (picture.height, picture.width, 3)
    assert np.array_equal(made[kept], np.asarray(picture)[kept])
    assert not np.array_equal(made[~kept], np.asarray(picture)[~kept])


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("only_masked", [False, True])
@pytest.mark.parametrize("blur", [1, 4])
def test_old_and_new_meet_without_a_seam_within_the_width_of_the_blur(redraw, content, only_masked, blur):
    """On a picture of one colour, what is not the picture's is new: the share of it rises from none at the
    reach of the blur to all, in no step that the blurred mask does not have.
    """
    picture, mask = Image.new("RGB", (72, 72), (255, 0, 0)), rectangle(72, 72, (28, 28, 48, 48))
    values = {
        "inpainting_fill": content,
        "inpaint_full_res": only_masked,
        "steps": 1,
        "width": 72,
        "height": 72,
    }
    made = pixels(redraw(picture, mask, mask_blur=blur, **values))[0]
    reach = int(2.5 * blur + 0.5)
    within = np.zeros((72, 72), bool)
    within[28 - reach : 48 + reach, 28 - reach : 48 + reach] = True
    assert (made[~within] == (255, 0, 0)).all()
    assert (made[within] != (255, 0, 0)).any()
    masked = np.asarray(blur_mask(mask, blur, blur), dtype=int)
    share = np.minimum(masked * (1 if only_masked else 2), 255) / 255
    changed = np.abs(made - (255, 0, 0)).max(axis=-1)
    assert (changed <= share * 255 + 2).all()


def test_an_inverted_mask_keeps_what_is_white(redraw):
    picture, mask = noise(64, 64), rectangle(64, 64, (16, 16, 48, 48))
    result = redraw(picture, mask, mask_blur=0, inpainting_mask_invert=1, inpaint_full_res=False)
    kept = np.asarray(mask) == 255
    assert np.array_equal(pixels(result)[0][kept], np.asarray(picture)[kept])


def test_a_stronger_hand_changes_more(redraw):
    picture = noise(64, 64)
    weak, strong = (
        pixels(redraw(picture, denoising_strength=strength, steps=10))[0] for strength in (0.2, 0.9)
    )
    start = pixels(redraw(picture, denoising_strength=0.0))[0]
    assert np.abs(weak - start).mean() < np.abs(strong - start).mean()


@pytest.mark.parametrize(("exact", "steps"), [(False, 5), (True, 10)])
def test_a_share_of_the_steps_is_made_or_by_setting_all_of_them(redraw, exact, steps):
    watcher = Recorder()
    redraw(
        noise(64, 64),
        watcher=watcher,
        steps=10,
        denoising_strength=0.4,
        settings={"img2img_fix_steps": exact},
    )
    assert watcher.reports[-1].done == watcher.reports[-1].total == steps


def test_each_picture_of_a_batch_has_its_own_start(redraw):
    first, second = noise(64, 64, 1), noise(64, 64, 2)
    together = pixels(redraw([first, second], batch_size=2, sampler_name="Euler a"))
    alone = pixels(redraw(second, seed=TINY["seed"] + 1, sampler_name="Euler a"))
    assert np.abs(together[1] - alone[0]).max() <= 1


def test_exact_batches_are_exact_from_a_picture_too(redraw):
    picture, mask = noise(64, 64), rectangle(64, 64, (16, 16, 48, 48))
    values = {"inpainting_fill": 2, "inpaint_full_res": False, "sampler_name": "DPM++ SDE"}
    settings = {"exact_batches": True}
    together = pixels(redraw(picture, mask, settings=settings, batch_size=3, **values))
    alone = pixels(redraw(picture, mask, settings=settings, seed=TINY["seed"] + 2, **values))
    assert np.array_equal(together[2], alone[0])


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "LA", "RGBA", "YCbCr"])
def test_pictures_of_every_colour_mode_are_read(redraw, mode):
    if mode == "I;16":
        picture = Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 15).reshape(64, 64))
    else:
        picture = noise(64, 64).convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    request = {**TINY, "init_images": [encoded(picture, kind)], "denoising_strength": 0.0, "steps": 1}
    assert parse_img2img(request)
    made = pixels(
        redraw(picture.convert("RGB") if kind == "TIFF" else picture, denoising_strength=0.0, steps=1)
    )[0]
    assert made.shape == (64, 64, 3)
    assert made.std() > 3


def canvas_of(house, file: str, settings=None, **values):
    request = parse_img2img({**TINY, "init_images": [file], **values})
    options = house.store.options.overridden(settings or {})
    return make_canvas(house.engine.plan(request, options, house.styles)).pictures[0]


def test_a_picture_held_sideways_is_turned_upright(house):
    turned = Image.linear_gradient("L").resize((64, 128)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = canvas_of(house, encoded(turned, "JPEG", exif=exif, quality=95), width=128, height=64)
    upright = np.asarray(turned.transpose(Image.Transpose.ROTATE_270), int)
    assert np.abs(np.asarray(drawn, int) - upright).max() <= 8


@pytest.mark.parametrize(("colour", "expected"), [("#ffffff", (255, 255, 255)), ("#102030", (16, 32, 48))])
def test_transparent_parts_take_the_background_of_the_settings(house, colour, expected):
    clear = encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))
    assert canvas_of(house, clear, {"img2img_background_color": colour}).getpixel((9, 9)) == expected


def test_the_text_of_a_redrawn_picture_tells_how_and_is_read_back(redraw):
    mask = rectangle(64, 64, (16, 16, 48, 48))
    result = redraw(
        noise(64, 64), mask, mask_blur=3, inpainting_fill=2, inpaint_full_res_padding=8, inpainting_mask_invert=1,
        initial_noise_multiplier=0.9,
    )  # fmt: skip
    fields = read_infotext(result.infotexts[0]).fields
    assert fields["Denoising strength"] == "0.75"
    assert fields["Masked content"] == "latent noise"
    values = to_request_values(read_infotext(result.infotexts[0]))
    wanted = {"denoising_strength": 0.75, "mask_blur": 3, "inpainting_fill": 2, "inpaint_full_res": True,
              "inpaint_full_res_padding": 8, "inpainting_mask_invert": 1}  # fmt: skip
    assert {key: values.get(key) for key in wanted} == wanted
    assert values["override_settings"]["initial_noise_multiplier"] == 0.9


def test_an_order_with_pictures_comes_back_from_json(house):
    request = parse_img2img(
        {**TINY, "init_images": [encoded(noise(8, 8))], "mask": encoded(Image.new("L", (8, 8)))}
    )
    order = make_order(request, house.store.options, house.styles)
    again = Order.model_validate_json(order.model_dump_json())
    assert again == order
    assert again.kind == "img2img"


def test_pictures_go_into_a_folder_of_their_own(redraw, tmp_path):
    settings = {
        "outdir_img2img_samples": str(tmp_path / "redrawn"),
        "outdir_txt2img_samples": str(tmp_path / "new"),
    }
    result = redraw(noise(64, 64), settings=settings, save=True)
    assert result.pictures[0].path.is_relative_to(tmp_path / "redrawn")
    assert picture_bytes(result.pictures[0], result.run)[:4] == b"\x89PNG"


BROKEN = encoded(noise(64, 64))[:4000]


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"init_images": []}, "init_images", "no picture"),
        ({"init_images": ["bm8gcGljdHVyZQ=="]}, "init_images", "not a picture"),
        ({"init_images": ["@@@"]}, "init_images", "not a picture"),
        ({"init_images": [BROKEN]}, "init_images", "damaged"),
        ({"mask": "bm8gcGljdHVyZQ=="}, "mask", "not a picture"),
        ({"init_images": [encoded(noise(8, 8))] * 3}, "init_images", "3 pictures for a batch of 1"),
        ({"denoising_strength": 1.5}, "denoising_strength", "1.5"),
        ({"resize_mode": 7}, "resize_mode", "7"),
        ({"inpainting_fill": -1}, "inpainting_fill", "-1"),
        ({"mask_blur": -3}, "mask_blur", "-3"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_drawn(house, values, field, sentence):
    with pytest.raises(InvalidRequest, match=sentence) as refused:
        request = parse_img2img({**TINY, "init_images": [encoded(noise(64, 64))], **values})
        house.engine.order(request, house.store.options, house.styles)
    assert refused.value.field == field


@pytest.mark.parametrize("invert", [0, 1])
@pytest.mark.parametrize("values", [{"inpaint_full_res": True}, {"inpaint_full_res": False, "mask_blur": 9}])
def test_under_a_mask_that_masks_nothing_the_picture_comes_back_and_it_is_said(redraw, invert, values):
    picture, watcher = noise(64, 64), Recorder()
    mask = Image.new("L", (64, 64), 255 * invert)
    settings = {"overlay_inpaint": False}
    result = redraw(picture, mask, settings, watcher, inpainting_mask_invert=invert, **values)
    assert np.array_equal(pixels(result)[0], np.asarray(picture))
    assert [note for note in watcher.notes if "masks nothing" in note]


def test_a_mask_of_another_size_is_brought_to_the_pictures(redraw):
    picture, mask = noise(64, 64), rectangle(128, 128, (32, 32, 96, 96))
    made = pixels(redraw(picture, mask, mask_blur=0, inpaint_full_res=False, mask_round=True))[0]
    corner = (slice(0, 12), slice(0, 12))
    assert np.array_equal(made[corner], np.asarray(picture)[corner])


def test_a_picture_of_one_pixel_can_be_redrawn(redraw):
    assert pixels(redraw(noise(1, 1)))[0].shape == (64, 64, 3)


def test_a_mask_of_another_size_is_softened_at_its_own_size(redraw):
    picture, mask = noise(64, 64), rectangle(96, 32, (20, 10, 70, 20))
    values = {"inpaint_full_res": False, "inpainting_fill": 1}
    soft = pixels(redraw(picture, mask, mask_blur=4, **values))[0]
    assert np.array_equal(soft, pixels(redraw(picture, blur_mask(mask, 4, 4), mask_blur=0, **values))[0])


def test_several_pictures_but_fewer_than_the_batch_are_the_batch(redraw):
    pictures = [noise(64, 64, seed) for seed in (1, 2)]
    two, three = (pixels(redraw(pictures, batch_size=size)) for size in (2, 3))
    assert len(three) == 2 and np.array_equal(two, three)
    with pytest.raises(InvalidRequest, match="3 pictures for a batch of 2"):
        redraw([*pictures, noise(64, 64)], batch_size=2)


def test_without_the_overlay_the_result_is_shown_as_it_was_drawn(redraw):
    picture, mask = noise(96, 96), rectangle(96, 96, (8, 8, 40, 40))
    laid, bare = (
        redraw(picture, mask, {"overlay_inpaint": lays}, inpaint_full_res=True) for lays in (True, False)
    )
    assert pixels(laid)[0].shape == (96, 96, 3) and pixels(bare)[0].shape == (64, 64, 3)
    whole = pixels(redraw(noise(64, 64), rectangle(64, 64, (8, 8, 40, 40)), {"overlay_inpaint": False},
                          inpaint_full_res=False))[0]  # fmt: skip
    assert not np.array_equal(whole[56:, 56:], np.asarray(noise(64, 64))[56:, 56:])


@pytest.mark.parametrize("checkpoint", ["tiny-sd1", "tiny-sd1-inpainting"])
@pytest.mark.parametrize("content", [0, 1])
def test_a_mask_goes_with_resizing_the_latent(redraw, checkpoint, content):
    """The picture is encoded at its own size, and so is what lies below the mask and what is hidden by it."""
    picture, mask = noise(83, 121), rectangle(83, 121, (0, 0, 40, 121))
    values = {"resize_mode": 3, "inpaint_full_res": False, "inpainting_fill": content, "mask_blur": 0}
    made = pixels(redraw(picture, mask, {"sd_model_checkpoint": checkpoint}, **values))[0]
    kept = np.asarray(picture.resize((64, 64), Image.Resampling.LANCZOS))
    assert made.shape == (64, 64, 3) and np.array_equal(made[:, 40:], kept[:, 40:])


def test_pictures_of_several_sizes_are_refused_where_only_latents_are_resized(redraw):
    with pytest.raises(InvalidRequest, match="theirs differ"):
        redraw([noise(64, 64), noise(64, 72)], batch_size=2, resize_mode=3)


def test_the_upscaler_of_the_settings_enlarges_the_masked_part_and_what_is_drawn_of_it(redraw, house):
    """Nearest makes of two halves of a small part two halves of the picture, with no ramp between them."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (0, 0, 16, 64))
    values = {"inpaint_full_res": True, "mask_blur": 0, "inpainting_fill": 1}
    mask = rectangle(64, 64, (0, 0, 32, 32))
    run = redraw(picture, mask, {"upscaler_for_img2img": "Nearest"}, **values).run
    canvas = make_canvas(run)
    assert set(np.unique(np.asarray(canvas.pictures[0]))) == {0, 255}
    smooth = make_canvas(redraw(picture, mask, **values).run)
    assert len(np.unique(np.asarray(smooth.pictures[0]))) > 2
    half = picture.resize((32, 32), Image.Resampling.NEAREST)
    larger = replace(canvas, box=Box(0, 0, 64, 64)).finished(half, 0)
    drawn = np.asarray(larger)[:32, :32]
    assert set(np.unique(drawn)) <= {0, 255}
