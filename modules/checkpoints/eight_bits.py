"""Weights kept in 8 bits, and made wide a layer at a time when they compute."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = [
    "computing_dtype",
    "eight_bit_layers",
    "exact_weight",
    "keep_in_eight_bits",
    "narrowed",
]

DTYPE = torch.float8_e4m3fn
LARGEST = torch.finfo(DTYPE).max
KEPT_WIDE = "conv_in"
"""diffusers tells the type in which a model computes by its first layer; this one is small."""


class _Layer(nn.Module):
    """What the layers below know besides."""

    weight: nn.Parameter
    computing: torch.dtype
    exact: Tensor | None

    def wide(self) -> Tensor:
        return self.weight.to(self.computing)


class _EightBitLinear(nn.Linear, _Layer):
    def forward(self, input: Tensor) -> Tensor:
        return nn.functional.linear(input, self.wide(), self.bias)


class _EightBitConvolution(nn.Conv2d, _Layer):
    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.wide(), self.bias)


KINDS: dict[type[nn.Module], type[_Layer]] = {nn.Linear: _EightBitLinear, nn.Conv2d: _EightBitConvolution}


def eight_bit_layers(module: nn.Module) -> dict[str, nn.Module]:
    """The layers of a UNet or a text encoder whose weights are kept in 8 bits, by name: all linear ones and
    convolutions but the first. Biases, norms and embeddings stay wide.
    """
    return {
        name: layer for name, layer in module.named_modules() if type(layer) in KINDS and name != KEPT_WIDE
    }


def keep_in_eight_bits(layer: nn.Module, weight: Tensor, *, exact_copy: bool) -> Tensor:
    """Let `layer`, one of `eight_bit_layers`, compute from 8 bits in the type of `weight`. The answer is
    `weight` in 8 bits, for the layer to be given.
    """
    layer.__class__ = KINDS[type(layer)]
    assert isinstance(layer, _Layer)
    layer.computing = weight.dtype
    layer.exact = weight.to("cpu", torch.float16) if exact_copy else None
    return narrowed(weight, DTYPE)


def computing_dtype(layer: nn.Module) -> torch.dtype:
    """The type in which a layer computes."""
    if isinstance(layer, _Layer):
        return layer.computing
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight.dtype


def exact_weight(layer: nn.Module) -> Tensor:
    """The weight of a layer as exactly as it is known, in float32 where it is."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    exact = layer.exact if isinstance(layer, _Layer) else None
    return (weight.data if exact is None else exact).to(weight.device, torch.float32)


def narrowed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """`weight` in `dtype`. What is beyond the largest number of 8 bits becomes that: torch would make it no
    number.
    """
    return weight.clamp(-LARGEST, LARGEST).to(dtype) if dtype is DTYPE else weight.to(dtype)
