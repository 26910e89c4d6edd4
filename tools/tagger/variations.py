"""Pictures as people have them: moved, turned, recoloured, blurred, on another ground, cut out of a whole."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_propagation
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

__all__ = ["varied", "with_ground"]

TURN, SHIFT, SMALLEST, LARGEST, STRETCH = math.radians(15), 0.18, 0.55, 1.25, 0.12
BRIGHTNESS, CONTRAST, TINT, NOISE = 0.15, 0.2, 0.08, 0.04
OTHER_GROUND_SHARE = 0.33
WHITE = 237
"""Above which value of every colour, out of 255, a ground is taken for white."""


def _uniform(count: int, reach: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * reach


def _moved(layers: Tensor, generator: torch.Generator) -> Tensor:
    """Turned, shifted, scaled, stretched, half of them mirrored; white ground where nothing was."""
    count = len(layers)
    angle = _uniform(count, TURN, generator)
    scale = SMALLEST + torch.rand(count, generator=generator) * (LARGEST - SMALLEST)
    wide = (1 + _uniform(count, STRETCH, generator)) / scale
    high = (1 + _uniform(count, STRETCH, generator)) / scale
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    along, down = (_uniform(count, SHIFT, generator) for _ in range(2))
    rows = torch.stack([
        torch.stack([mirror * wide * angle.cos(), -high * angle.sin(), along], 1),
        torch.stack([mirror * wide * angle.sin(), high * angle.cos(), down], 1),
    ], 1)  # fmt: skip
    grid = affine_grid(rows, list(layers.shape), align_corners=False)
    return 1 + grid_sample(layers - 1, grid, align_corners=False)


def _on_grounds(layers: Tensor, generator: torch.Generator) -> Tensor:
    """The pictures (N, 3, side, side); a third of them with a ground of one colour in the place of white."""
    count = len(layers)
    chosen = (torch.rand(count, 1, 1, 1, generator=generator) < OTHER_GROUND_SHARE).float()
    colours = torch.rand(count, 3, 1, 1, generator=generator)
    return layers[:, :3] + chosen * layers[:, 3:] * (colours - 1)


def _recoloured(pictures: Tensor, generator: torch.Generator) -> Tensor:
    count = len(pictures)
    brightness, contrast = (
        _uniform(count, reach, generator)[:, None, None, None] for reach in (BRIGHTNESS, CONTRAST)
    )
    tint = _uniform(count * 3, TINT, generator).view(count, 3, 1, 1)
    changed = (pictures - 0.5) * (1 + contrast) + 0.5 + brightness + tint
    return changed + torch.randn(pictures.shape, generator=generator) * NOISE * torch.rand(
        count, 1, 1, 1, generator=generator
    )


def _blurred(pictures: Tensor, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(len(pictures), 1, 1, 1, generator=generator) < 0.25
    return torch.where(chosen, avg_pool2d(pictures, 3, 1, 1, count_include_pad=False), pictures)


def with_ground(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, side, side, 4): `pictures` (N, side, side, 3) and where their ground is.

    That is what is white as far as the border, so that a ghost stays white.
    """
    border = np.ones(pictures.shape[1:3], bool)
    border[1:-1, 1:-1] = False
    masks = [binary_propagation(border & near, mask=near) for near in pictures.min(-1) > WHITE]
    return np.concatenate([pictures, np.stack(masks)[..., None].astype(np.uint8) * 255], -1)


def varied(layers: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (N, 3, side, side) in 0 .. 1, each changed in its own way.

    layers: (N, 4, side, side) in 0 .. 1, colours and ground.
    """
    changed = _on_grounds(_moved(layers, generator), generator)
    return _recoloured(_blurred(changed, generator), generator).clamp(0, 1)
