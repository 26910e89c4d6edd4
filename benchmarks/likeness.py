"""How far two small drawings are from each other, by colour and by the direction of their edges.

A drawing's features are made at 64x64 on white: the CIE Lab colours of its 16x16 cells, and for each of 8x8
cells a histogram of edge directions (after Dalal and Triggs 2005, without their overlapping blocks). Each
of the two distances is measured in units of its mean over pairs of different concepts, so that both count
alike:

    distance² = colour² / mean colour² + edges² / mean edges²
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Drawings", "features"]

SIDE, COLOUR_CELLS, EDGE_CELLS, DIRECTIONS = 64, 16, 8, 8
WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
Floats = NDArray[np.float64]


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIE 1976 L*a*b* (H, W, 3) of an sRGB picture (H, W, 3)."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ RGB_TO_XYZ.T / WHITE_D65
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def _cells(values: Floats, cells: int) -> Floats:
    """Means of the `cells` x `cells` squares of values (SIDE, SIDE, channels)."""
    step = SIDE // cells
    return values.reshape(cells, step, cells, step, -1).mean((1, 3))


def _edges(lightness: Floats) -> Floats:
    """Edge directions (EDGE_CELLS, EDGE_CELLS, DIRECTIONS): each cell's mean strength by direction, 0 to
    180 degrees."""
    down, right = np.gradient(lightness)
    strength = np.hypot(down, right)
    direction = np.minimum((np.arctan2(down, right) % np.pi) / np.pi * DIRECTIONS, DIRECTIONS - 1e-9).astype(
        int
    )
    spread = strength[..., None] * np.eye(DIRECTIONS)[direction]
    histograms = np.sqrt(_cells(spread, EDGE_CELLS))
    return histograms / max(float(np.linalg.norm(histograms)), 1e-9)


def features(picture: Image.Image) -> tuple[Floats, Floats]:
    """The colours and the edges of a picture of any size, each as one row."""
    small = np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
    colours = lab(small)
    return _cells(colours, COLOUR_CELLS).ravel(), _edges(colours[..., 0]).ravel()


def _distances(rows: Floats, row: Floats) -> Floats:
    return ((rows - row) ** 2).sum(-1)


@dataclass(frozen=True)
class Drawings:
    """The real drawings (concepts, styles) as features, and what a distance is measured in."""

    colours: Floats
    edges: Floats
    colour_unit: float
    edge_unit: float

    @classmethod
    def of(cls, drawings: list[list[Image.Image]]) -> "Drawings":
        """The features of `drawings`, one list of styles for each concept."""
        rows = [[features(drawing) for drawing in of_concept] for of_concept in drawings]
        colours = np.array([[row[0] for row in of_concept] for of_concept in rows])
        edges = np.array([[row[1] for row in of_concept] for of_concept in rows])
        return cls(colours, edges, _mean_distance(colours), _mean_distance(edges))

    def distances(self, picture: Image.Image) -> Floats:
        """(concepts, styles): how far `picture` is from every drawing."""
        colours, edges = features(picture)
        of_colours = _distances(self.colours, colours) / self.colour_unit
        return of_colours + _distances(self.edges, edges) / self.edge_unit

    def rank(self, picture: Image.Image, concept: int) -> int:
        """How many other concepts have a drawing nearer to `picture` than every drawing of `concept`."""
        nearest = self.distances(picture).min(1)
        return int((nearest < nearest[concept]).sum())


def _mean_distance(rows: Floats) -> float:
    """Mean square distance between drawings (concepts, styles, features) of different concepts, in one
    style."""
    flat = rows.reshape(len(rows), rows.shape[1], -1)
    of_styles = [
        _distances(flat[:, None, style], flat[None, :, style])[~np.eye(len(rows), dtype=bool)].mean()
        for style in range(rows.shape[1])
    ]
    return float(np.mean(of_styles))
