"""The img2img tab as a person uses it: a picture, a brush, Generate; the editors draw with the browser's WebGL."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 128, 96
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
PIXELS = np.dstack([COLUMNS * 2, ROWS * 2, np.full((HEIGHT, WIDTH), 120)]).astype(np.uint8)
SLOW = 240_000
"""Milliseconds: without a graphics card a stroke takes its time."""


@pytest.fixture(scope="module")
def picture_file():
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return {"name": "slope.png", "mimeType": "image/png", "buffer": file.getvalue()}


@pytest.fixture
def tab(page):
    page.set_default_timeout(SLOW)
    page.evaluate("switch_to_img2img_tab(0)")
    for name, value in {"steps": 2, "width": WIDTH, "height": HEIGHT, "seed": 3}.items():
        page.locator(f"#img2img_{name} input[type=number]").fill(str(value))
    return page


def open_with_picture(tab, subtab, well, file):
    tab.evaluate("number => switch_to_img2img_tab(number)", subtab)
    tab.set_input_files(f"#{well} input[type=file]", file)


def wait_until_painted_upon(tab, place):
    tab.wait_for_function("place => pictureWells[place].offered?.background", arg=place)


def paint(tab, place, editor):
    """A stroke across the middle of the picture, and wait until it is kept."""
    wait_until_painted_upon(tab, place)
    canvas = tab.locator(f"#{editor} canvas").first
    tab.wait_for_selector(f"#{editor} .toolbar-wrap .highlight")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * 0.45, middle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.55, middle)
    tab.mouse.up()
    tab.wait_for_function("place => pictureWells[place].held.drawing", arg=place)


def decoded(data_url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data_url.split(",")[1])))).astype(int)


def drawing_of(tab, place):
    """What was painted, on nothing: (height, width, 4)."""
    return decoded(tab.evaluate("place => asDataUrl(pictureWells[place].held.drawing)", place))


def result_of_generate(tab):
    before = tab.evaluate("shownJobs.img2img?.id ?? null")
    tab.click("#img2img_generate")
    tab.wait_for_function(
        "before => shownJobs.img2img?.is_final && shownJobs.img2img.id !== before "
        "&& taskQueues.img2img.tasks.length === 0",
        arg=before,
    )
    shown = "async () => asDataUrl(await (await fetch(shownJobs.img2img.pictures[0].url)).blob())"
    return decoded(tab.evaluate(shown))[..., :3]


def test_only_what_the_brush_has_painted_is_drawn_anew_and_the_mask_outlives_a_reload(tab, picture_file):
    open_with_picture(tab, 2, "img2maskimg_well", picture_file)
    tab.locator("#img2img_mask_blur input[type=number]").fill("0")
    paint(tab, "inpaint", "img2maskimg")
    mask = drawing_of(tab, "inpaint")[..., 3] > 0
    assert 0.02 < mask.mean() < 0.6
    differs = np.abs(result_of_generate(tab) - PIXELS).max(axis=2) > 0
    assert not differs[~mask].any()
    assert differs[mask].mean() > 0.8
    tab.reload()
    tab.wait_for_function("typeof pictureWells !== 'undefined' && pictureWells.inpaint?.held?.drawing")
    tab.evaluate("switchToTab('tab_img2img')")
    assert tab.locator("#img2img_inpaint_tab").is_visible()
    assert ((drawing_of(tab, "inpaint")[..., 3] > 0) == mask).all()
    paint(tab, "inpaint", "img2maskimg")
    tab.wait_for_function("pictureWells.inpaint.strokes > 0 && pictureWells.inpaint.takenStrokes > 0")
    assert ((drawing_of(tab, "inpaint")[..., 3] > 0) | ~mask).all(), "the mask from before is still there"


def test_a_sketch_starts_from_the_painted_colours(tab, picture_file):
    open_with_picture(tab, 1, "img2img_sketch_well", picture_file)
    tab.locator("#img2img_denoising_strength input[type=number]").fill("0")
    paint(tab, "sketch", "img2img_sketch")
    layer = drawing_of(tab, "sketch")
    painted = layer[..., 3] == 255
    assert painted.any()
    assert tab.evaluate("pictureOf('sketch').then(asDataUrl)")
    seen = decoded(tab.evaluate("pictureOf('sketch').then(asDataUrl)"))
    assert (seen[painted][:, :3] == layer[painted][:, :3]).all()
    assert (seen[..., :3][layer[..., 3] == 0] == PIXELS[layer[..., 3] == 0]).all()


def test_a_picture_goes_from_place_to_place_and_can_be_had_back(tab, picture_file):
    open_with_picture(tab, 0, "img2img_image", picture_file)
    tab.wait_for_selector("#img2img_image .filled img[src]")
    tab.click("#copy_img2img_to_inpaint_upload_base")
    tab.wait_for_selector("#img_inpaint_base .filled img[src]")
    assert tab.locator("#img2img_inpaint_upload_tab").is_visible()
    tab.click("#img_inpaint_base .well-remove")
    tab.click("#img_inpaint_base .well-back")
    tab.wait_for_selector("#img_inpaint_base .filled img[src]")
    tab.click("#img2img_detect_image_size_btn")
    tab.wait_for_function("getText('img2img_width') === '128' && getText('img2img_height') === '96'")


def test_what_is_missing_is_said_and_nothing_is_lost(tab, picture_file):
    tab.locator("#img2img_prompt textarea").fill("a cat")
    tab.evaluate("switch_to_img2img_tab(4)")
    tab.click("#img2img_generate")
    tab.wait_for_selector(
        "#html_log_img2img .error >> text=There is no picture on the sub-tab Inpaint upload"
    )
    open_with_picture(tab, 4, "img_inpaint_base", picture_file)
    tab.wait_for_selector("#img_inpaint_base .filled img[src]")
    tab.click("#img2img_generate")
    tab.wait_for_selector("#html_log_img2img .error >> text=There is no mask on the sub-tab")
    assert tab.evaluate("getText('img2img_prompt')") == "a cat"
    assert tab.evaluate("Boolean(pictureWells.inpaint_upload_base.held)")
