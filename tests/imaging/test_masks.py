"""Masks: what they are read from, the part they cut out, and what they leave alone."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.imaging import (
    Box,
    ResizeMode,
    blur_mask,
    box_of_mask,
    cells_of_mask,
    fill_masked,
    grow_to_aspect,
    invert_mask,
    lay_over,
    mask_of_picture,
    overlay_of,
    resize_mask,
    soften_mask,
    strengthened,
)


def with_rectangle(size: tuple[int, int], box: Box, value: int = 255) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(value, box)
    return mask


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("rounded", "expected"), [(True, [0, 0, 255]), (False, [0, 100, 200])])
def test_transparency_is_a_mask_all_or_nothing_or_soft(rounded, expected):
    picture = Image.new("RGBA", (3, 1), (9, 9, 9, 0))
    picture.putpixel((1, 0), (9, 9, 9, 100))
    picture.putpixel((2, 0), (9, 9, 9, 200))
    assert list(np.asarray(mask_of_picture(picture, rounded))[0]) == expected


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "1", "P"])
def test_a_picture_without_transparency_is_a_mask_by_its_brightness(mode):
    picture = Image.new("L", (2, 1))
    picture.putpixel((1, 0), 255)
    assert list(np.asarray(mask_of_picture(picture.convert(mode)))[0]) == [0, 255]


def test_a_blur_along_one_axis_leaves_the_other_sharp():
    mask = with_rectangle((40, 40), Box(10, 10, 30, 30))
    across = np.asarray(blur_mask(mask, 3, 0))
    assert list(np.asarray(blur_mask(mask, 0, 0)).ravel()) == list(np.asarray(mask).ravel())
    assert 0 < across[20, 9] < 255
    assert across[9].max() == 0
    assert np.array_equal(across.T, np.asarray(blur_mask(mask, 0, 3)))


def test_a_blur_weighs_as_the_bell_curve_does():
    mask = with_rectangle((41, 1), Box(20, 0, 21, 1))
    blurred = np.asarray(blur_mask(mask, 2, 0), dtype=float)[0]
    distance = np.abs(np.arange(41) - 20)
    bell = np.where(distance <= 5, np.exp(-(distance**2) / (2 * 2**2)), 0)
    assert np.abs(blurred - 255 * bell / bell.sum()).max() <= 1
    assert np.flatnonzero(blurred).min() >= 15


def test_the_overlays_mask_is_twice_as_strong():
    mask = Image.fromarray(np.array([[0, 1, 64, 127, 128, 255]], dtype=np.uint8))
    assert list(np.asarray(strengthened(mask))[0]) == [0, 2, 128, 254, 255, 255]


def test_a_black_mask_has_no_box():
    assert box_of_mask(Image.new("L", (20, 20)), 5) is None


@pytest.mark.parametrize(
    ("padding", "expected"), [(0, Box(30, 20, 60, 50)), (8, Box(22, 12, 68, 58)), (100, Box(0, 0, 100, 80))]
)
def test_the_box_of_a_mask_is_padded_within_the_picture(padding, expected):
    assert box_of_mask(with_rectangle((100, 80), Box(30, 20, 60, 50)), padding) == expected


@pytest.mark.parametrize(
    ("box", "size", "expected"),
    [
        (Box(40, 40, 60, 80), (64, 64), Box(30, 40, 70, 80)),
        (Box(40, 40, 80, 60), (64, 64), Box(40, 30, 80, 50 + 20)),
        (Box(0, 40, 10, 80), (64, 64), Box(0, 40, 40, 80)),
        (Box(90, 40, 100, 80), (64, 64), Box(60, 40, 100, 80)),
        (Box(0, 0, 100, 50), (64, 128), Box(0, 0, 100, 100)),
    ],
)
def test_the_box_grows_to_the_proportions_of_the_run(box, size, expected):
    assert grow_to_aspect(box, *size, (100, 100)) == expected


@given(st.data())
def test_a_grown_box_holds_the_old_one_and_stays_in_the_picture(data):
    width, height = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300))
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = Box(left, top, data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height)))
    wanted = 8 * data.draw(st.integers(8, 64)), 8 * data.draw(st.integers(8, 64))
    grown = grow_to_aspect(box, *wanted, (width, height))
    assert 0 <= grown.left <= box.left < box.right <= grown.right <= width
    assert 0 <= grown.top <= box.top < box.bottom <= grown.bottom <= height


def test_filling_takes_colours_from_the_rest_and_leaves_the_rest_alone():
    picture = Image.new("RGB", (64, 64), (200, 30, 30))
    picture.paste((0, 255, 0), (20, 20, 40, 40))
    mask = with_rectangle((64, 64), Box(20, 20, 40, 40))
    filled = np.asarray(fill_masked(picture, mask), dtype=int)
    assert np.abs(filled - [200, 30, 30]).max() <= 6
    outside = np.asarray(mask) == 0
    assert np.array_equal(filled[outside], np.asarray(picture)[outside])


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_what_is_not_masked_comes_back_bit_by_bit(seed, width, height):
    generator = np.random.default_rng(seed)
    original, result = noise((width, height), seed), noise((width, height), seed + 1)
    mask = Image.fromarray((generator.random((height, width)) < 0.5).astype(np.uint8) * 255)
    done = np.asarray(lay_over(result, overlay_of(original, mask), None))
    masked = np.asarray(mask) > 0
    assert np.array_equal(done[~masked], np.asarray(original)[~masked])
    assert np.array_equal(done[masked], np.asarray(result)[masked])


def test_a_part_is_put_back_at_its_place():
    original, part = noise((50, 40)), Image.new("RGB", (64, 64), "red")
    box = Box(10, 5, 30, 25)
    mask = with_rectangle(original.size, box)
    done = np.asarray(lay_over(part, overlay_of(original, mask), box))
    assert (done[5:25, 10:30] == [255, 0, 0]).all()
    outside = np.asarray(mask) == 0
    assert np.array_equal(done[outside], np.asarray(original)[outside])


def test_inverting_twice_changes_nothing():
    mask = with_rectangle((9, 9), Box(2, 2, 5, 5), 77)
    assert invert_mask(invert_mask(mask)).tobytes() == mask.tobytes()


def test_the_aspect_is_reckoned_as_a_quotient_whose_last_bit_can_cost_a_pixel():
    """256 / (64 / 744) is a little less than 2976 in floating point."""
    assert grow_to_aspect(Box(0, 0, 256, 8), 64, 744, (256, 4000)) == Box(0, 0, 256, 2975)


# One rule for what a picture stands for as a mask, whatever its file.

SQUARE = (slice(4, 8), slice(4, 8))


def levels(kind: str, light: np.ndarray, alpha: np.ndarray | None = None) -> Image.Image:
    """A mask read back from a file of a kind."""
    if alpha is None:
        image = Image.fromarray(light.astype(np.uint8))
    else:
        layers = [light.astype(np.uint8), alpha.astype(np.uint8)]
        image = Image.merge("LA", [Image.fromarray(layer) for layer in layers])
    file = io.BytesIO()
    if kind in ("P", "GIF"):
        opaque = alpha > 0
        image = Image.fromarray(np.where(opaque, np.where(light > 127, 2, 1), 0).astype(np.uint8), "P")
        image.putpalette([128, 128, 128, 0, 0, 0, 255, 255, 255])
        image.save(file, "GIF" if kind == "GIF" else "PNG", transparency=0)
    else:
        image.convert(kind).save(file, "TIFF" if kind in ("CMYK",) else "PNG")
    return Image.open(io.BytesIO(file.getvalue()))


def with_square(inside: int, outside: int) -> np.ndarray:
    pixels = np.full((16, 16), outside)
    pixels[SQUARE] = inside
    return pixels


@pytest.mark.parametrize("kind", ["LA", "RGBA", "P", "GIF"])
@pytest.mark.parametrize("shade", [255, 0])
def test_what_is_opaque_is_masked_in_every_kind_of_file(kind, shade):
    picture = levels(kind, with_square(shade, shade), with_square(255, 0))
    assert np.array_equal(np.asarray(mask_of_picture(picture)), with_square(255, 0))


@pytest.mark.parametrize("kind", ["L", "RGB", "1", "CMYK", "LA", "RGBA", "P"])
def test_without_a_clear_pixel_brightness_is_the_mask_in_every_kind_of_file(kind):
    picture = levels(
        kind, with_square(255, 0), None if kind in ("L", "RGB", "1", "CMYK") else np.full((16, 16), 255)
    )
    assert np.array_equal(np.asarray(mask_of_picture(picture)), with_square(255, 0))


def test_a_mask_of_sixteen_bits_keeps_its_levels():
    picture = Image.fromarray((with_square(255, 0) * 257).astype(np.uint16))
    assert np.array_equal(np.asarray(mask_of_picture(picture)), with_square(255, 0))


@pytest.mark.parametrize("kind", ["LA", "RGBA"])
@pytest.mark.parametrize(("strokes", "soft"), [(128, 128), (90, 90), (255, 255)])
def test_white_strokes_on_opaque_black_are_the_mask_however_thick_the_paint(kind, strokes, soft):
    picture = levels(kind, with_square(255, 0), with_square(strokes, 255))
    assert np.array_equal(np.asarray(mask_of_picture(picture)), with_square(255, 0))
    assert np.array_equal(np.asarray(mask_of_picture(picture, rounded=False)), with_square(soft, 0))


@pytest.mark.parametrize("kind", ["LA", "RGBA", "P", "GIF"])
@pytest.mark.parametrize("shade", [0, 255])
def test_one_clear_corner_of_a_black_and_white_mask_changes_nothing_but_itself(kind, shade):
    light, alpha = with_square(255, 0), np.full((16, 16), 255)
    light[0, 0], alpha[0, 0] = shade, 0
    assert np.array_equal(np.asarray(mask_of_picture(levels(kind, light, alpha))), with_square(255, 0))


# Little masks: what is marked is drawn.


@pytest.mark.parametrize("side", [1, 3, 8, 10])
@pytest.mark.parametrize("blur", [0, 4, 64])
@pytest.mark.parametrize("corner", [0, 3, 60, 100, 127])
def test_every_cell_that_a_little_mask_touches_is_drawn(side, blur, corner):
    mask = with_rectangle((128, 128), Box(corner, corner, min(corner + side, 128), min(corner + side, 128)))
    soft = soften_mask(mask, blur, blur)
    touched = np.asarray(mask).reshape(16, 8, 16, 8).max(axis=(1, 3)) > 0
    shares = np.asarray(soft.resize((16, 16)), dtype=np.float32) / 255
    cells = cells_of_mask(soft, shares)
    assert (cells[touched] == 1).all() or np.around(shares).any()
    assert cells.any()
    assert np.asarray(soft)[np.asarray(mask) > 0].max() >= 128


def test_a_little_part_beside_a_large_one_is_drawn_too_and_the_large_one_as_recorded():
    mask = with_rectangle((128, 128), Box(8, 8, 70, 66))
    alone = np.asarray(mask.resize((16, 16)), dtype=np.float32) / 255
    assert np.array_equal(cells_of_mask(mask, alone), np.around(alone))
    mask.paste(255, (100, 100, 103, 103))
    shares = np.asarray(mask.resize((16, 16)), dtype=np.float32) / 255
    drawn = cells_of_mask(mask, shares)
    assert drawn[12, 12] == 1
    assert drawn.sum() == np.around(alone).sum() + 1


def test_a_faint_mask_draws_where_it_is():
    mask = with_rectangle((64, 64), Box(16, 16, 32, 32), 90)
    cells = cells_of_mask(mask, np.asarray(mask.resize((8, 8)), dtype=np.float32) / 255)
    assert cells.sum() == 4


@pytest.mark.parametrize("mode", list(ResizeMode))
def test_a_dot_outlives_being_made_small(mode):
    mask = with_rectangle((2000, 2000), Box(901, 1201, 903, 1203))
    small = np.asarray(resize_mask(mode, mask, 64, 64))
    assert small.max() == 255
    assert 0 < (small > 0).sum() <= 16
    rows, columns = np.nonzero(small)
    assert abs(rows.mean() - 38.5) <= 2 and abs(columns.mean() - 29) <= 2
