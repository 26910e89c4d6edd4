"""Luma and chroma apart in the latent: which directions of its channels are brightness, which are colour."""

import torch
from torch import Tensor

from modules.generation.preview import LinearPreview
from modules.sampling import Direction, Hold

__all__ = ["hold_apart"]

LUMA = torch.tensor([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue in the luma of ITU-R BT.709."""
FAINTEST = 1e-3
"""Directions that the fitted map hardly tells apart are left where they are, rather than blown up."""


def hold_apart(shares: tuple[float, float], original: Tensor, colours: LinearPreview) -> Hold:
    """What keeps luma and chroma of a pass near `original` (B, C, h, w), the clean latent.

    shares: how much of what the pass changes may change in luma and in chroma, 0 .. 1.
    """
    chroma = chroma_projector(colours.colours_of_channels).to(original)
    luma = torch.eye(chroma.shape[0]).to(original) - chroma
    return Hold(original, (Direction(luma, shares[0]), Direction(chroma, shares[1])))


def chroma_projector(colours: Tensor) -> Tensor:
    """The projector (C, C) on a latent cell's colour, along which its brightness stays.

    colours: a map from channels to red, green and blue (C, 3).
    What the map does not see (the fine structure in a cell) counts as brightness, since lines are.
    """
    axes = torch.stack([LUMA, torch.tensor([1.0, 0, 0]) - LUMA, torch.tensor([0, 0, 1.0]) - LUMA])
    seen = axes @ colours.T
    return torch.linalg.pinv(seen, rtol=FAINTEST)[:, 1:] @ seen[1:]
