"""Maps of depths, which some checkpoints draw over: what is near, what is far in a picture."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import DPTForDepthEstimation

from modules.checkpoints import Model
from modules.errors import UnusableFile

__all__ = ["depth_map"]

CELL = 8
SIDE_STEP = 32
"""Pixels; both sides of what the estimator sees are multiples."""


def depth_map(model: Model, pixels: Tensor) -> Tensor:
    """How near each cell of `pixels` (B, 3, H, W), in -1 .. 1, is: (B, 1, H/8, W/8), each picture's farthest
    cell -1, its nearest 1. A picture without any depth is 0.

    The picture is brought to the estimator's size with its proportions kept, as little smaller or larger as
    that allows, as MiDaS does it. Raises EaselError where the checkpoint has no estimator.
    """
    estimator = model.depth_estimator
    if estimator is None:
        raise UnusableFile(
            f"{model.checkpoint.name} draws over a map of depths, and there is nothing to make one with. Put "
            "MiDaS' dpt_hybrid-midas-501f0c75.pt, or a folder with the same model as transformers saves it, "
            'into "models/midas", and load the checkpoint anew. Texts alone (txt2img) it draws without.'
        )
    with model.placement.at_work(estimator):
        return _stretched(_depths(estimator, pixels))


def _depths(estimator: DPTForDepthEstimation, pixels: Tensor) -> Tensor:
    """(B, 1, H/8, W/8) as the estimator answers."""
    height, width = pixels.shape[2:]
    seen = torch.nn.functional.interpolate(
        pixels.to(estimator.device, estimator.dtype),
        size=_seen_size(height, width, estimator.config.image_size),
        mode="bicubic",
    )
    return torch.nn.functional.interpolate(
        _estimated(estimator, seen).float(), size=(height // CELL, width // CELL), mode="bicubic"
    )


def _stretched(depths: Tensor) -> Tensor:
    """Each map with its smallest number at -1, its largest at 1."""
    low, high = depths.amin((1, 2, 3), keepdim=True), depths.amax((1, 2, 3), keepdim=True)
    return torch.where(high > low, 2 * (depths - low) / (high - low) - 1, torch.zeros_like(depths))


def _seen_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width near height x width times one factor, that side of the factors for the two to `side`
    which is nearer to 1.
    """
    factor = min(side / height, side / width, key=lambda each: abs(1 - each))
    rows, columns = (max(1, round(length * factor / SIDE_STEP)) * SIDE_STEP for length in (height, width))
    return rows, columns


def _estimated(estimator: DPTForDepthEstimation, pixels: Tensor) -> Tensor:
    """(B, 1, h, w): the estimator's own forward is for squares of one size alone."""
    network = estimator.dpt
    embedded = network.embeddings(pixels, interpolate_pos_encoding=True)
    features, states = [*embedded.intermediate_activations], embedded.last_hidden_states
    kept = estimator.config.backbone_out_indices[2:]
    for number, layer in enumerate(network.encoder.layer):
        states = layer(states)
        if number in kept:
            features.append(states)
    patch = estimator.config.patch_size
    neck = estimator.neck(features, pixels.shape[2] // patch, pixels.shape[3] // patch)
    depths: Tensor = estimator.head(neck)
    return depths[:, None]
