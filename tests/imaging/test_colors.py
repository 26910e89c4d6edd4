"""Colour correction: the colours of one picture, the light of the other."""

import numpy as np
from PIL import Image
from skimage.exposure import match_histograms

from modules.imaging import correct_colours
from modules.imaging.colors import _matched

LUMINOSITY = np.array([0.3, 0.59, 0.11])


def noise(seed: int, low=(0, 0, 0), high=(256, 256, 256), size: int = 48) -> Image.Image:
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(low, high, (size, size, 3)).astype(np.uint8))


def test_histograms_are_matched_as_a_library_does():
    source, template = (np.asarray(noise(seed))[..., 0] // (seed + 1) for seed in (1, 2))
    assert np.allclose(_matched(source, template), match_histograms(source, template), atol=1e-9)


def test_a_picture_against_itself_stays_as_it_is():
    picture = noise(3, (80, 80, 80), (180, 180, 180))
    change = np.abs(np.asarray(correct_colours(picture, picture), int) - np.asarray(picture, int))
    assert change.max() <= 5  # 8-bit LAB is coarser than RGB.
    assert change.mean() < 1


def test_colours_come_from_the_original_and_light_from_the_result():
    result, original = noise(4), noise(5, (120, 20, 20), (220, 60, 60))
    corrected = np.asarray(correct_colours(result, original), float)
    light = np.asarray(result, float) @ LUMINOSITY
    assert np.abs(corrected @ LUMINOSITY - light).mean() < 3
    assert corrected[..., 0].mean() > corrected[..., 2].mean() + 20


def test_pictures_of_different_sizes_can_be_compared():
    assert correct_colours(noise(6), noise(7, size=20)).size == (48, 48)
