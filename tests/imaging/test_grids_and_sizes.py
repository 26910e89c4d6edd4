"""Grids and resize modes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.errors import InvalidRequest
from modules.imaging import ResizeMode, grid_is_within, grid_rows, make_grid, resize_image


@pytest.mark.parametrize(
    ("pictures", "batch_size", "n_rows", "prevent_empty_spots", "rows"),
    [
        (4, 1, -1, False, 2),
        (2, 1, -1, False, 1),
        (3, 1, -1, False, 2),
        (6, 1, -1, False, 2),
        (7, 1, -1, False, 3),
        (6, 1, -1, True, 2),
        (7, 1, -1, True, 1),
        (8, 4, 0, False, 4),
        (8, 4, 3, False, 3),
        (2, 8, 0, False, 2),
        (2, 1, 16, False, 2),
    ],
)
def test_rows_follow_the_settings(
    pictures: int, batch_size: int, n_rows: int, prevent_empty_spots: bool, rows: int
) -> None:
    assert grid_rows(pictures, batch_size, n_rows, prevent_empty_spots) == rows


def test_a_grid_is_filled_row_by_row_on_black() -> None:
    pictures = [Image.new("RGB", (4, 2), (value, 0, 0)) for value in (10, 20, 30)]
    grid = make_grid(pictures, 2)
    assert grid.size == (8, 4)
    reds = [grid.getpixel(place) for place in ((0, 0), (4, 0), (0, 2), (7, 3))]
    assert reds == [(10, 0, 0), (20, 0, 0), (30, 0, 0), (0, 0, 0)]


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 0)])
def test_a_grid_of_nothing_is_refused(count: int, rows: int) -> None:
    with pytest.raises(InvalidRequest, match=f"{count} pictures in {rows} rows"):
        make_grid([Image.new("RGB", (4, 2))] * count, rows)


def test_a_grid_has_a_bound_in_megapixels() -> None:
    pictures = [Image.new("L", (1000, 1000))] * 3
    assert grid_is_within(4, pictures, 2)
    assert not grid_is_within(3.9, pictures, 2)


def striped(width: int, height: int) -> Image.Image:
    """A picture whose left and right (upper and lower) halves are red and blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


@given(
    st.sampled_from(ResizeMode),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
)
def test_every_mode_gives_the_size_asked_for(
    mode: ResizeMode, w: int, h: int, width: int, height: int
) -> None:
    for colours in ("RGB", "RGBA", "L"):
        assert resize_image(mode, Image.new(colours, (w, h)), width, height).size == (width, height)


def test_stretching_keeps_both_halves() -> None:
    image = resize_image(ResizeMode.STRETCH, striped(64, 64), 32, 128)
    assert (image.getpixel((4, 60)), image.getpixel((28, 60))) == ((255, 0, 0), (0, 0, 255))


def test_cropping_cuts_evenly_on_both_sides() -> None:
    image = resize_image(ResizeMode.CROP, striped(128, 64), 32, 32)
    assert (image.getpixel((4, 0)), image.getpixel((28, 31))) == ((255, 0, 0), (0, 0, 255))
    narrow = Image.new("RGB", (96, 32), "red")
    narrow.paste("blue", (32, 0, 64, 32))
    assert resize_image(ResizeMode.CROP, narrow, 32, 32).getcolors() == [(1024, (0, 0, 255))]


def test_filling_stretches_the_edges_outwards() -> None:
    image = resize_image(ResizeMode.FILL, striped(32, 32), 96, 32)
    assert image.crop((0, 0, 44, 32)).getcolors() == [(44 * 32, (255, 0, 0))]
    assert image.crop((52, 0, 96, 32)).getcolors() == [(44 * 32, (0, 0, 255))]


def test_of_an_odd_rest_one_line_stays_black() -> None:
    image = resize_image(ResizeMode.FILL, Image.new("RGB", (30, 31), "white"), 31, 31)
    assert image.getpixel((30, 0)) == (0, 0, 0)
    assert image.crop((0, 0, 30, 31)).getcolors() == [(930, (255, 255, 255))]


def test_an_upscaler_is_used_for_enlarging_only_and_never_for_masks() -> None:
    factors: list[float] = []

    def enlarge(image: Image.Image, factor: float) -> Image.Image:
        factors.append(factor)
        return image.resize((image.width * 4, image.height * 4))

    for mode, size in (("RGB", (20, 30)), ("RGB", (5, 10)), ("L", (20, 30))):
        resized = resize_image(ResizeMode.STRETCH, Image.new(mode, (10, 10)), *size, enlarge=enlarge)
        assert resized.size == size
    assert factors == [3.0]
