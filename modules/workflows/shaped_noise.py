"""Noise in the manner of a picture: of its frequencies and its colours. BEHAVIOUR section 16."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["with_shaped_noise"]

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

SEED = 0
DRAWN_ANEW, KEPT = 1e-6, 1e-3
"""A pixel whose mask is above the first is drawn anew; one below the second lends its colours."""
PLANE = (0, 1)


def with_shaped_noise(
    picture: Image.Image, mask: Image.Image, exponent: float, colour_variation: float
) -> Image.Image:
    """`picture` (RGB), where the `mask` (L) is white in noise that has the rest's frequencies and colours.

    exponent: how much the rest's frequencies count (0 .. 4); colour_variation: how far the channels of the
    noise go each its own way (0 .. 1).
    """
    image = np.asarray(picture, dtype=np.float64) / 255
    share = np.asarray(mask, dtype=np.float64)[..., None] / 255
    noise = _filtered(_white_noise(image.shape, colour_variation))
    shaped = _shaped(noise, _windowed(image, share), exponent)
    anew, kept = share[..., 0] > DRAWN_ANEW, share[..., 0] < KEPT
    if anew.any() and kept.any():
        shaped[anew] = _in_colours_of(shaped[anew], image[kept])
    mixed = np.clip(image * (1 - share) + shaped * share, 0, 1)
    return Image.fromarray((mixed * 255).astype(np.uint8))


def _frequencies(values: Floats) -> Complex:
    """The centred two-dimensional spectrum of each channel of `values` (H, W, C)."""
    spectrum = np.fft.fft2(np.fft.fftshift(values, axes=PLANE), axes=PLANE, norm="ortho")
    return np.fft.ifftshift(spectrum, axes=PLANE)


def _values(spectrum: Complex) -> Floats:
    """What `_frequencies` was made of."""
    values = np.fft.ifft2(np.fft.fftshift(spectrum, axes=PLANE), axes=PLANE, norm="ortho")
    return np.fft.ifftshift(values, axes=PLANE).real


def _windowed(image: Floats, share: Floats) -> Floats:
    """The kept part as bright as can be, the mean of the whole in the place of the rest."""
    kept = image * (1 - share)
    return kept / (kept.max() or 1) + image.mean() * share


def _white_noise(shape: tuple[int, ...], colour_variation: float) -> Floats:
    noise = np.random.default_rng(SEED).random(shape)
    return noise * colour_variation + noise.mean(axis=2, keepdims=True) * (1 - colour_variation)


def _filtered(noise: Floats) -> Floats:
    """`noise` with its high frequencies weakened."""
    height, width = noise.shape[:2]
    down, across = (_window(side, min(height, width)) for side in (height, width))
    return _values(_frequencies(noise) * (down[:, None] * across[None, :])[..., None])


def _window(side: int, shorter: int) -> Floats:
    place = (np.arange(side) / side * 2 - 1) * (side / shorter)
    return 1 / (place**2 + 1)


def _shaped(noise: Floats, pattern: Floats, exponent: float) -> Floats:
    """`noise` with amplitudes and phases of `pattern`, brought to 0 .. 1."""
    spectrum = _frequencies(pattern)
    amplitude: Floats = np.abs(spectrum)
    phase: Complex = np.ones_like(spectrum)
    np.divide(spectrum, amplitude, out=phase, where=amplitude > 0)
    shaped = _values(np.abs(_frequencies(noise)) ** 2 * amplitude**exponent * phase)
    shaped -= shaped.min()
    return shaped / (shaped.max() or 1)


def _in_colours_of(pixels: Floats, others: Floats) -> Floats:
    """`pixels` (N, C) with each channel's values as frequent as in `others` (M, C): the n-th part of the one
    gets the value of the n-th part of the other (Gonzalez and Woods, histogram specification).
    """
    return np.stack([_matched(pixels[:, k], others[:, k]) for k in range(pixels.shape[1])], axis=1)


def _matched(values: Floats, others: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    levels, frequencies = np.unique(others, return_counts=True)
    parts = np.cumsum(counts) / values.size
    return np.interp(parts, np.cumsum(frequencies) / others.size, levels)[places]
