"""The outpaint canvas: what it sends, and how hands and keys grow it."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

MAKE_PARTS = """async ([width, height, sides, background, overlap]) => {
    const picture = newCanvas(width, height);
    const context = picture.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let at = 0; at < pixels.data.length; at++) pixels.data[at] = at % 4 === 3 ? 255 : (at * 73 + 11) % 256;
    context.putImageData(pixels, 0, 0);
    const layout = outpaintLayout(picture, sides);
    const parts = await outpaintPictures(picture, layout, background, overlap);
    const bytes = async (blob) => Array.from(new Uint8Array(await blob.arrayBuffer()));
    return { own: await bytes(await asPng(picture)), picture: await bytes(parts.picture), mask: await bytes(parts.mask) };
}"""
DRAWING = Path(__file__).parents[2] / "modules" / "web" / "static" / "js" / "outpaint_drawing.js"


@pytest.fixture(scope="module")
def drawing(chromium):
    """A bare page that knows how the canvas is drawn, and nothing else."""
    page = chromium.new_page()
    page.add_script_tag(path=DRAWING)
    yield page
    page.close()


def pixels(data: list[int]) -> np.ndarray:
    """(H, W, 3), uint8."""
    return np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"))


def sides(left=0, right=0, top=0, bottom=0) -> dict[str, int]:
    return {"left": left, "right": right, "top": top, "bottom": bottom}


@pytest.mark.parametrize(
    ("size", "room", "background", "overlap", "whole"),
    [
        ((64, 64), sides(right=64), "edges", 8, (128, 64)),
        ((61, 83), sides(left=16, top=8), "edges", 0, (80, 96)),
        ((72, 48), sides(8, 24, 16, 200), "mirror", 8, (104, 264)),
        ((16, 16), sides(left=80, bottom=72), "mirror", 50, (96, 88)),
        ((20, 20), sides(), "edges", 4, (64, 64)),
    ],
)
def test_the_picture_stands_untouched_and_exactly_the_room_and_the_seam_are_masked(
    drawing, size, room, background, overlap, whole
):
    made = drawing.evaluate(MAKE_PARTS, [*size, room, background, overlap])
    own, picture, mask = (pixels(made[name]) for name in ("own", "picture", "mask"))
    width, height = whole
    assert picture.shape == mask.shape == (height, width, 3)
    left, top = room["left"], room["top"]
    right, bottom = left + size[0], top + size[1]
    assert np.array_equal(picture[top:bottom, left:right], own)
    strips = [min(overlap, side // 4) for side in size]
    kept = np.zeros((height, width), bool)
    kept[
        top + strips[1] * (top > 0) : bottom - strips[1] * (bottom < height),
        left + strips[0] * (left > 0) : right - strips[0] * (right < width),
    ] = True
    assert np.array_equal(mask[..., 0] == 0, kept)
    assert set(np.unique(mask)) <= {0, 255}


def test_new_parts_go_on_where_the_picture_ends_without_streaks(drawing):
    """Beside a picture that is dark at the left and light at the right, the room is dark and light too."""
    made = drawing.evaluate(
        """async () => {
            const picture = newCanvas(64, 64);
            const context = picture.getContext("2d");
            context.fillStyle = "#202020";
            context.fillRect(0, 0, 32, 64);
            context.fillStyle = "#e0e0e0";
            context.fillRect(32, 0, 32, 64);
            const layout = outpaintLayout(picture, { left: 64, right: 64, top: 64, bottom: 0 });
            const made = (await outpaintPictures(picture, layout, "edges", 8)).picture;
            return Array.from(new Uint8Array(await made.arrayBuffer()));
        }"""
    )
    canvas = pixels(made)[..., 0].astype(int)
    assert abs(canvas[:, :60] - 0x20).max() <= 2
    assert abs(canvas[:, 132:] - 0xE0).max() <= 2
    across = canvas[10, 64:128]
    assert np.abs(np.diff(across)).max() <= 16


@pytest.fixture
def canvas(page):
    """The page with a small picture on the canvas."""
    page.evaluate("switch_to_img2img_tab(6)")
    page.evaluate(
        """async () => {
            const picture = newCanvas(64, 64);
            const context = picture.getContext("2d");
            context.fillStyle = "#3070c0";
            context.fillRect(0, 0, 64, 40);
            context.fillStyle = "#408040";
            context.fillRect(0, 40, 64, 24);
            await sendPicture("outpaint", await asPng(picture));
        }"""
    )
    page.wait_for_selector("#outpaint_frame:not([hidden])")
    return page


def picture_on(page) -> np.ndarray:
    return pixels(
        page.evaluate(
            "pictureOf('outpaint').then(async (blob) => [...new Uint8Array(await blob.arrayBuffer())])"
        )
    )


def sides_of(page) -> dict[str, int]:
    return page.evaluate("outpaintCanvas.sides")


def middle_of(page, handle: str) -> tuple[float, float]:
    box = page.locator(f".outpaint-handle.{handle}").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0], start[1] + by[1], steps=3)
    page.mouse.up()


def test_the_canvas_grows_by_the_mouse_by_a_finger_by_keys_and_by_typing(canvas):
    page = canvas
    scale = page.evaluate("outpaintCanvas.fit.scale")
    drag(page, middle_of(page, "edge.right"), (32 * scale, 5))
    assert sides_of(page) == sides(right=32)
    scale = page.evaluate("outpaintCanvas.fit.scale")
    drag(page, middle_of(page, "corner.left.top"), (-16 * scale, -24 * scale))
    assert sides_of(page) == sides(left=16, right=32, top=24)
    box = page.locator("#outpaint_view").bounding_box()
    scale = page.evaluate("outpaintCanvas.fit.scale")
    drag(page, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), (400 * scale, -8 * scale))
    assert sides_of(page) == sides(left=48, right=0, top=16, bottom=8)
    page.focus(".outpaint-handle.edge.top")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowDown")
    page.fill("#outpaint_bottom", "21")
    page.press("#outpaint_bottom", "Tab")
    assert sides_of(page) == sides(left=48, top=72, bottom=24)
    assert page.inner_text("#outpaint_size") == "64 × 64 grows to 112 × 160"
    x, y = middle_of(page, "edge.bottom")
    scale = page.evaluate("outpaintCanvas.fit.scale")
    fingers = page.context.new_cdp_session(page)
    for kind, at in (("Start", y), ("Move", y + 10), ("Move", y + 16 * scale), ("End", None)):
        points = [] if at is None else [{"x": x, "y": at}]
        fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.wait_for_function("outpaintCanvas.sides.bottom === 40")


def test_picture_and_room_are_there_again_after_a_reload(canvas):
    page = canvas
    page.fill("#outpaint_left", "40")
    page.press("#outpaint_left", "Tab")
    page.select_option("#outpaint_background", "mirror")
    page.reload()
    page.wait_for_function("typeof outpaintCanvas !== 'undefined' && outpaintCanvas?.picture")
    page.click("#tab_img2img-button")
    page.wait_for_selector("#outpaint_frame:not([hidden])")
    assert sides_of(page) == sides(left=40)
    assert page.input_value("#outpaint_background") == "mirror"
    assert page.inner_text("#outpaint_size") == "64 × 64 grows to 104 × 64"


def test_the_room_is_filled_and_the_result_taken_back_to_grow_on(canvas):
    page = canvas
    page.locator("#img2img_prompt textarea").fill("a meadow")
    page.locator("#img2img_steps input[type=number]").fill("2")
    page.click("#img2img_generate")
    page.wait_for_selector("#html_log_img2img .error")
    assert "no room to fill" in page.inner_text("#html_log_img2img .error")
    page.fill("#outpaint_right", "64")
    page.press("#outpaint_right", "Tab")
    before = picture_on(page)
    earlier = page.evaluate("shownJobs.img2img?.id ?? null")
    page.click("#img2img_generate")
    page.wait_for_function(
        "earlier => shownJobs.img2img?.is_final && shownJobs.img2img.id !== earlier", arg=earlier
    )
    page.click("#outpaint_take")
    page.wait_for_function("outpaintCanvas.picture?.width === 128")
    assert sides_of(page) == sides()
    after = picture_on(page)
    assert after.shape == (64, 128, 3)
    assert np.array_equal(after[:, :24], before[:, :24])
    page.click("#outpaint_undo")
    page.wait_for_function("outpaintCanvas.picture.width === 64 && outpaintCanvas.sides.right === 64")
