"""Lightness and colour of a picture apart: CIE 1976 L*a*b* with the white of sRGB (D65).

IEC 61966-2-1 (sRGB), CIE 15 (L*a*b*). Pictures are worked on in bands of rows, so that a large one needs
little memory besides itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["blend_luma_chroma", "lab_of_pixels", "pixels_of_lab"]

BAND = 128
"""Rows that are worked on at once."""
HALVINGS = 10
"""Of the distance to grey, when the most colourful one that a screen has is looked for."""
EDGE = 1e-4
"""How far outside 0 .. 1 light may be and still count as a colour of a screen: rounding."""
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ.sum(1)
TO_WHITE_UNITS = (TO_XYZ / WHITE[:, None]).T.astype(np.float32)
FROM_WHITE_UNITS = np.linalg.inv(TO_XYZ / WHITE[:, None]).T.astype(np.float32)
BEND = 6 / 29
"""Where the cube root of L*a*b* goes over into a straight line."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def _linear_light() -> Floats:
    """The light of each of the 256 levels."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


LIGHT = _linear_light()


def lab_of_pixels(pixels: Bytes) -> Floats:
    """L* (0 .. 100), a*, b* (..., 3) of sRGB `pixels` (..., 3)."""
    xyz = LIGHT[pixels] @ TO_WHITE_UNITS
    bent = np.where(xyz > BEND**3, np.cbrt(xyz), xyz / (3 * BEND**2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def pixels_of_lab(lab: Floats) -> Bytes:
    """The sRGB pixels (..., 3) of `lab`.

    A colour that sRGB does not have is drawn towards the grey of its lightness until it does: lightness and
    hue stay, the colour pales.
    """
    lab = lab.copy()
    lab[..., 0] = lab[..., 0].clip(0, 100)
    light = _light_of(lab)
    outside = ~_on_screen(light)
    if outside.any():
        light[outside] = _light_of(_paled(lab[outside]))
    light = light.clip(0, 1)
    levels = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(levels * 255), dtype=np.uint8)


def _light_of(lab: Floats) -> Floats:
    """Linear light, 0 .. 1 for what a screen can show."""
    y = (lab[..., 0] + 16) / 116
    bent = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    return np.where(bent > BEND, bent**3, 3 * BEND**2 * (bent - 4 / 29)) @ FROM_WHITE_UNITS


def _on_screen(light: Floats) -> NDArray[np.bool_]:
    return np.asarray(((light >= -EDGE) & (light <= 1 + EDGE)).all(-1))


def _paled(lab: Floats) -> Floats:
    """`lab` (N, 3), the colour lessened to the most that a screen has at that lightness and hue."""
    share, step = np.zeros(len(lab), np.float32), np.float32(0.5)
    for _ in range(HALVINGS):
        more = share + step
        share = np.where(_on_screen(_light_of(_with_colour(lab, more))), more, share)
        step /= 2
    return _with_colour(lab, share)


def _with_colour(lab: Floats, share: Floats) -> Floats:
    return np.concatenate([lab[:, :1], lab[:, 1:] * share[:, None]], axis=1)


def blend_luma_chroma(result: Image.Image, original: Image.Image, luma: float, chroma: float) -> Image.Image:
    """`result` (RGB), as far as its lightness and its colours may differ from `original`'s, of the same size.

    luma, chroma: 0 keeps the original's, 1 takes the result's, shares lie in between, as straight lines in
    L*a*b*. With both at 1 it is `result`.
    """
    if luma >= 1 and chroma >= 1:
        return result
    drawn, given = np.asarray(result.convert("RGB")), np.asarray(original.convert("RGB"))
    shares = np.array([luma, chroma, chroma], dtype=np.float32)
    bands = [slice(top, top + BAND) for top in range(0, drawn.shape[0], BAND)]
    return Image.fromarray(np.concatenate([_blended(drawn[band], given[band], shares) for band in bands]))


def _blended(drawn: Bytes, given: Bytes, shares: Floats) -> Bytes:
    start = lab_of_pixels(given)
    return pixels_of_lab(start + (lab_of_pixels(drawn) - start) * shares)
