"""Tiles: they cover the picture, overlap as asked, and join to what they were cut from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.imaging import count_tiles, join_tiles, tiles_of


@given(
    st.integers(40, 300), st.integers(40, 300), st.integers(33, 120), st.integers(33, 120), st.integers(0, 32)
)
def test_a_picture_that_is_cut_and_joined_is_the_same(width, height, across, down, overlap):
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    tiles = tiles_of((width, height), (across, down), overlap)
    assert {(box.width, box.height) for box in tiles.boxes} == {(across, down)}
    assert len(tiles.boxes) == count_tiles((width, height), (across, down), overlap)
    joined = join_tiles(tiles, [picture.crop(box) for box in tiles.boxes])
    assert np.array_equal(np.asarray(joined), pixels)


def test_the_later_tile_fades_in_over_the_overlap():
    tiles = tiles_of((12, 6), (8, 6), 4)
    assert [(box.left, box.right) for box in tiles.boxes] == [(0, 8), (4, 12)]
    joined = join_tiles(tiles, [Image.new("RGB", (8, 6), "black"), Image.new("RGB", (8, 6), "white")])
    assert np.asarray(joined)[0, :, 0].tolist() == [0, 0, 0, 0, 0, 63, 127, 191, 255, 255, 255, 255]


def test_tiles_no_larger_than_their_overlap_are_refused():
    with pytest.raises(ValueError, match="64x48 cannot overlap by 48"):
        count_tiles((100, 100), (64, 48), 48)
