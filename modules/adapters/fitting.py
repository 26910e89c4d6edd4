"""Whether a part of a network can be applied to a module of a model, told without its numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modules.adapters.kinds import LowRank, Part

__all__ = ["MALFORMED", "fitting_part", "is_finite"]

MALFORMED = (RuntimeError, ValueError, IndexError, TypeError, OverflowError)
"""What torch and the readers of parts raise for tensors that make no sense together."""
LATENT_CHANNELS = 4
KERNEL_AXES = 4


@dataclass(frozen=True, slots=True, eq=False)
class LatentChannels:
    """`part` on the latent's channels of a first layer that has more: models for inpainting and editing see
    the picture behind them. A network of an ordinary model says nothing of those, so they stay as they are.
    """

    part: Part

    @property
    def bias(self) -> Tensor | None:
        """See `Part`."""
        return self.part.bias

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        delta = torch.zeros_like(weight)
        delta[:, :LATENT_CHANNELS] = self.part.delta(weight[:, :LATENT_CHANNELS].contiguous(), ranks)
        return delta


def fitting_part(part: Part, module: nn.Module, *, is_first: bool) -> Part | None:
    """The part as it is applied to `module`, told by the shapes alone; None where it does not fit. is_first:
    whether that is the UNet's first layer.
    """
    weight, bias = module.weight, getattr(module, "bias", None)
    assert isinstance(weight, nn.Parameter)
    if part.bias is not None and bias is not None and part.bias.numel() != bias.numel():
        return None
    if _changes(part, weight.shape):
        return part
    more = is_first and weight.dim() == KERNEL_AXES and weight.shape[1] > LATENT_CHANNELS
    latent = (weight.shape[0], LATENT_CHANNELS, *weight.shape[2:])
    return LatentChannels(part) if more and _changes(part, latent) else None


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are such."""
    if not tensor.dtype.is_floating_point or not tensor.numel():
        return True
    # Quicker than asking each number: what is no number makes the ends such.
    return all(bool(torch.isfinite(end)) for end in torch.aminmax(tensor))


def _changes(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether the part makes a change of this shape."""
    if isinstance(part, LowRank) and part.mid is None:
        return part.fits(shape)
    try:
        return part.delta(torch.empty(shape, device="meta"), None).shape == torch.Size(shape)
    except MALFORMED:
        return False
