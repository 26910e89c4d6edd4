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
    tab.wait_for_function("place => pictureWells[place].offered?.value?.background", arg=place)


def stroke(tab, editor, start=(0.45, 0.5), end=(0.55, 0.5)):
    """From one point of the editor to another, as shares of its width and height."""
    canvas = tab.locator(f"#{editor} canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    tab.mouse.move(*points[0])
    tab.mouse.down()
    tab.mouse.move(*points[1], steps=3)
    tab.mouse.up()


def paint(tab, place, editor):
    """A stroke across the middle of the picture, and wait until it is kept."""
    wait_until_painted_upon(tab, place)
    tab.wait_for_selector(f"#{editor} .toolbar-wrap .highlight")
    stroke(tab, editor)
    tab.wait_for_function("place => pictureWells[place].held.drawing", arg=place)


def painted_by_now(tab, place):
    """Where something is painted in the editor at the moment: (height, width)."""
    tab.evaluate("place => { pictureWells[place].noteStroke(); return pictureWells[place].takeIn(); }", place)
    return drawing_of(tab, place)[..., 3] > 0


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


def test_what_is_painted_is_drawn_anew_outlives_a_reload_and_the_result_goes_to_txt2img_and_back(
    tab, picture_file
):
    open_with_picture(tab, 2, "img2maskimg_well", picture_file)
    tab.locator("#img2img_mask_blur input[type=number]").fill("0")
    paint(tab, "inpaint", "img2maskimg")
    mask = drawing_of(tab, "inpaint")[..., 3] > 0
    assert 0.005 < mask.mean() < 0.6
    result = result_of_generate(tab)
    differs = np.abs(result - PIXELS).max(axis=2) > 0
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
    tab.evaluate("setText('txt2img_seed', '9')")
    tab.click("#img2img_send_to_txt2img")
    tab.wait_for_function("getText('txt2img_seed') === '3'")
    assert tab.locator("#tab_txt2img").is_visible()
    tab.evaluate("switchToTab('tab_img2img')")
    tab.click("#img2img_send_to_inpaint")
    tab.wait_for_function("pictureWells.inpaint.past.length && pictureWells.inpaint.held.drawing === null")
    assert (decoded(tab.evaluate("asDataUrl(pictureWells.inpaint.held.blob)"))[..., :3] == result).all()


def test_strokes_are_widened_coloured_erased_taken_back_down_to_the_picture_and_zoomed(tab):
    editor = "img2img_sketch"
    tab.evaluate("switch_to_img2img_tab(1)")
    tab.click(f"#{editor}_well .well-blank")
    wait_until_painted_upon(tab, "sketch")
    assert tab.evaluate("pictureWells.sketch.held.size") == [WIDTH, HEIGHT]
    tab.wait_for_selector(f"#{editor} .toolbar-wrap .highlight")
    stroke(tab, editor)
    tab.evaluate("globalThis.zoomNumber = () => document.querySelector('#img2img_sketch .zoom-number')")
    zoom = tab.evaluate("Number.parseInt(zoomNumber().textContent)")
    thin = painted_by_now(tab, "sketch")
    assert 0 < thin.any(axis=1).sum() < HEIGHT / 6
    for _ in range(4):
        tab.keyboard.press("]")
    tab.click(f"#{editor} .toolbar-wrap button[title=Color]")
    tab.locator(f"#{editor} menu.swatch button").nth(2).click()
    stroke(tab, editor, (0.45, 0.5), (1.2, 0.5))  # and let go beside the editor
    wide = painted_by_now(tab, "sketch")
    assert wide.any(axis=1).sum() > 1.5 * thin.any(axis=1).sum()
    assert wide[:, -1].any()
    assert [229, 57, 53] in drawing_of(tab, "sketch")[wide][:, :3].tolist()
    tab.hover(f"#{editor} canvas")  # the keys are those of the editor under the pointer
    tab.keyboard.press("e")
    stroke(tab, editor, (0.5, 0.1), (0.5, 0.9))
    assert painted_by_now(tab, "sketch").sum() < wide.sum()
    tab.keyboard.press("Control+z")
    assert (painted_by_now(tab, "sketch") == wide).all()
    for _ in range(4):
        tab.keyboard.press("Control+z")
    assert not painted_by_now(tab, "sketch").any()
    tab.keyboard.press("Control+y")
    again = painted_by_now(tab, "sketch")
    assert again.shape == (HEIGHT, WIDTH)
    assert (again == thin).all()
    tab.keyboard.press("b")
    tab.keyboard.down("Alt")
    tab.mouse.wheel(0, -2000)
    tab.keyboard.up("Alt")
    tab.wait_for_function("zoom => Number.parseInt(zoomNumber().textContent) > 1.5 * zoom", arg=zoom)
    tab.click(f"#{editor} button[title=Pan]")
    stroke(tab, editor, (0.5, 0.3), (0.5, 0.7))
    assert (painted_by_now(tab, "sketch") == again).all()


def test_beside_the_slider_at_0_it_is_said_what_is_drawn_all_the_same(tab):
    strength = tab.locator("#img2img_denoising_strength input[type=number]")
    note = "scriptsPlace('img2img_denoising_note').textContent"
    strength.fill("0")
    tab.wait_for_function(f"() => {note}.includes('the last step is still drawn')")
    strength.fill("0.3")
    tab.wait_for_function(f"() => {note} === ''")


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


GIVE = """([name, kind, side]) => new Promise((resolve) => newCanvas(side, side).toBlob((blob) => {
    const target = document.querySelector("#img2maskimg_well");
    const transfer = new DataTransfer();
    transfer.items.add(new File([kind === "image/png" ? blob : "words"], "given", { type: kind }));
    const said = { bubbles: true, cancelable: true };
    if (name === "paste") target.dispatchEvent(new ClipboardEvent(name, { ...said, clipboardData: transfer }));
    else target.dispatchEvent(new DragEvent(name, { ...said, dataTransfer: transfer }));
    resolve();
}))"""
"""Pastes or drops a square picture, or a file that is none, on the sub-tab Inpaint."""


def test_a_picture_is_pasted_or_dropped_goes_from_place_to_place_and_can_be_had_back(tab, picture_file):
    tab.evaluate("switch_to_img2img_tab(2)")
    for name, side in (("paste", 40), ("drop", 24)):
        tab.evaluate(GIVE, [name, "image/png", side])
        tab.wait_for_function("side => pictureWells.inpaint.held?.size[0] === side", arg=side)
    tab.evaluate(GIVE, ["drop", "text/plain", 8])
    tab.wait_for_selector(".notice:has-text('cannot be read as a picture')")
    assert tab.evaluate("pictureWells.inpaint.held.size") == [24, 24]
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


EDITORS = {
    "img2img_sketch": ("sketch", 1),
    "img2maskimg": ("inpaint", 2),
    "inpaint_sketch": ("inpaint_sketch", 3),
}


def test_a_file_in_an_editors_own_field_is_held_as_one_that_is_chosen(tab, picture_file):
    """Extensions of the field fill it in."""
    for editor, (place, subtab) in EDITORS.items():
        open_with_picture(tab, subtab, editor, picture_file)
        tab.wait_for_function("place => pictureWells[place].held?.size.join() === '128,96'", arg=place)
        tab.wait_for_selector(f"#{editor}_well .well-size:text('128 × 96')")


BEYOND = """() => [...document.querySelectorAll("#tab_img2img *")]
    .filter((each) => each.offsetParent && !each.closest(".tab-nav, [role=tablist]"))
    .filter((each) => each.getBoundingClientRect().right > innerWidth - 8)
    .filter((each) => !each.children.length)
    .map((each) => each.id || each.textContent)"""


def test_on_a_phone_no_control_reaches_beyond_the_edge(watched):
    page = watched(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for subtab in range(7):
        page.evaluate("number => switch_to_img2img_tab(number)", subtab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(BEYOND) == []


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
    scale_down_by_the_button_beside_the_refusal(tab)


def scale_down_by_the_button_beside_the_refusal(tab):
    """What the server would say of a picture that is too large for the memory, and the button that it gets."""
    memory = {"needed": 9, "available": 8, "width": None, "height": None, "given_pixels": WIDTH * HEIGHT // 2}
    refusal = {"detail": "It is too large: scale it down.", "field": "init_images", "memory": memory}
    tab.route("**/internal/web/submit", lambda route: route.fulfill(status=422, json=refusal))
    tab.click("#img2img_generate")
    tab.click("#html_log_img2img .error:has-text('It is too large') .offer")
    tab.wait_for_function("pictureWells.inpaint_upload_base.held.size[0] < 100")
    width, height = tab.evaluate("pictureWells.inpaint_upload_base.held.size")
    assert WIDTH * HEIGHT * 0.4 < width * height < WIDTH * HEIGHT / 2
    tab.wait_for_function("!document.querySelector('#html_log_img2img .error')")
    tab.click("#img_inpaint_base .well-back")
    tab.wait_for_function("width => pictureWells.inpaint_upload_base.held.size[0] === width", arg=WIDTH)
