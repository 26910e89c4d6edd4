"""Latents whose sides are no multiple of 8: enlarged inside the UNet as the reference's network does it."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor

__all__ = ["enlarge_as_reference"]


class _DoublingUpsample(Upsample2D):
    """Doubles and convolves, and only then is cut to the size that the skip connection has.

    diffusers brings the tensor to that size before the convolution, which gives other pictures at, say,
    96x96.
    """

    def forward(self, hidden_states: Tensor, output_size: Any = None, *args: Any, **kwargs: Any) -> Tensor:
        larger = super().forward(hidden_states)
        if output_size is None or larger.shape[-2:] == torch.Size(output_size):
            return larger
        return torch.nn.functional.interpolate(larger, size=tuple(output_size), mode="nearest")


def enlarge_as_reference(unet: UNet2DConditionModel) -> None:
    """Let every upsampling layer of `unet` work in the reference's order; weights and names stay."""
    for module in unet.modules():
        if type(module) is Upsample2D:
            # The layer is as diffusers built it; only the order within its forward pass changes.
            # another.
            module.__class__ = _DoublingUpsample
