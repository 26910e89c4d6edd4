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
