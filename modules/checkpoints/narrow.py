"""Layers whose weights are kept in fewer bits than they compute in, and made wide one layer at a time.

By the setting `fp8_storage` they are rounded to 8 bits. On processors, which compute in float32, weights that
a file holds in half precision stay as they are there: the same numbers in half the memory, and as they are
made wide in memory that stays in the processor's caches, a step takes about as long.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor, nn

from modules.memory import fetch_pages

__all__ = [
    "EIGHT_BITS",
    "as_kept",
    "compute_in_parts",
    "computing_dtype",
    "exact_weight",
    "is_worth_widening",
    "keep_in_eight_bits",
    "narrow_layers",
    "narrowed",
    "weight_of",
    "widen_when_computing",
]

EIGHT_BITS = torch.float8_e4m3fn
LARGEST = torch.finfo(EIGHT_BITS).max
KEPT_WIDE = "conv_in"
"""diffusers tells the type in which a model computes by its first layer; this one is small."""
PART = (1 << 23) - (1 << 16)
"""Elements of a convolution's weight that go to oneDNN at a time, in float32 just under 32 MiB. It makes a
copy in an order of its own each time; a larger one is memory that the system's C library fetches anew from
the system, which took twice the time of the convolution itself (measured with torch 2.14 and glibc 2.36 at
1280 channels and 8x8 cells).
"""
BLOCK = 1 << 18
"""Elements that are made wide at a time in new memory: so many stay in a processor's cache."""
SMALL = 1 << 18
"""Elements of a weight. Smaller ones are a hundredth of a model, and of its layers the greater number."""


class _Layer(nn.Module):
    """What the layers below know besides."""

    weight: nn.Parameter
    computing: torch.dtype
    exact: Tensor | None

    def wide(self, part: slice = slice(None)) -> Tensor:
        """Rows of the weight as it computes. On processors this is good until the next layer's is asked
        for, unless gradients are wanted.
        """
        weight = self.weight[part]
        if weight.dtype is self.computing:
            return weight
        if weight.device.type != "cpu" or torch.is_grad_enabled():
            return weight.to(self.computing)
        return _desk.wide(weight, self.computing)


class _Desk(threading.local):
    """Memory in which one layer's weight is made wide, for each thread that computes."""

    def __init__(self) -> None:
        self._memory: dict[torch.dtype, Tensor] = {}

    def wide(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        memory = self._memory.get(dtype)
        if memory is None or memory.numel() < weight.numel():
            self._memory.pop(dtype, None)
            with torch.inference_mode(False):
                memory = self._memory[dtype] = torch.empty(weight.numel(), dtype=dtype)
        return memory.as_strided(weight.shape, weight.stride()).copy_(weight)


_desk = _Desk()


class _Linear(nn.Linear, _Layer):
    def forward(self, input: Tensor) -> Tensor:
        return nn.functional.linear(input, self.wide(), self.bias)


class _Convolution(nn.Conv2d, _Layer):
    def forward(self, input: Tensor) -> Tensor:
        rows, count = len(self.weight), -(-self.weight.numel() // PART)
        if count == 1 or self.weight.device.type != "cpu":
            return self._conv_forward(input, self.wide(), self.bias)
        size = -(-rows // count)
        parts = [slice(first, first + size) for first in range(0, rows, size)]
        biases = [None if self.bias is None else self.bias[part] for part in parts]
        made = [
            self._conv_forward(input, self.wide(part), bias) for part, bias in zip(parts, biases, strict=True)
        ]
        return torch.cat(made, dim=1)


class _Embedding(nn.Embedding, _Layer):
    def forward(self, input: Tensor) -> Tensor:
        return nn.functional.embedding(input, self.weight, self.padding_idx).to(self.computing)


KINDS: dict[type[nn.Module], type[_Layer]] = {
    nn.Linear: _Linear,
    nn.Conv2d: _Convolution,
    nn.Embedding: _Embedding,
}


def narrow_layers(module: nn.Module) -> dict[str, nn.Module]:
    """The layers of a model's part whose weights may be kept narrow, by name: linear ones, convolutions but
    the first, tables of embeddings. Biases and norms stay wide.
    """
    return {
        name: layer
        for name, layer in module.named_modules()
        if type(layer) in KINDS and name.rpartition(".")[2] != KEPT_WIDE
    }


def is_worth_widening(layer: nn.Module) -> bool:
    """Whether the weight of a layer is so large that keeping it narrow saves more than it costs."""
    return weight_of(layer).numel() >= SMALL


def keep_in_eight_bits(layer: nn.Module, weight: Tensor, *, exact_copy: bool) -> Tensor:
    """Let `layer`, one of `narrow_layers`, compute from 8 bits in the type of `weight`. The answer is
    `weight` in 8 bits, for the layer to be given.
    """
    widen_when_computing(layer, weight.dtype, weight.to("cpu", torch.float16) if exact_copy else None)
    return narrowed(weight, EIGHT_BITS)


def widen_when_computing(layer: nn.Module, dtype: torch.dtype, exact: Tensor | None = None) -> None:
    """Let `layer`, one of `narrow_layers`, compute in `dtype`, whatever type its weight has. exact: what
    its weight was rounded from.
    """
    layer.__class__ = KINDS[type(layer)]
    assert isinstance(layer, _Layer)
    layer.computing, layer.exact = dtype, exact


def compute_in_parts(layer: nn.Module, dtype: torch.dtype) -> None:
    """Let `layer`, should it be a large convolution with a weight of `dtype`, compute a part of its result
    at a time on processors. The bits are the same.
    """
    if type(layer) is nn.Conv2d and layer.groups == 1 and layer.weight.numel() > PART:
        widen_when_computing(layer, dtype)


def weight_of(layer: nn.Module) -> Tensor:
    """The numbers of a layer's weight as they are kept."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight.data


def computing_dtype(layer: nn.Module) -> torch.dtype:
    """The type in which a layer computes."""
    return layer.computing if isinstance(layer, _Layer) else weight_of(layer).dtype


def exact_weight(layer: nn.Module) -> Tensor:
    """The weight of a layer as exactly as it is known, in float32 where it is."""
    weight = weight_of(layer)
    exact = layer.exact if isinstance(layer, _Layer) else None
    return _in_float32(weight if exact is None else exact, weight.device)


def _in_float32(numbers: Tensor, device: torch.device) -> Tensor:
    """`numbers` in float32 on `device`. On processors new memory is fetched just before it is written to: it
    is most of the time of putting a network on, which took a fifth less so (torch 2.14, two threads).
    """
    as_a_whole = numbers.dtype is torch.float32 or not numbers.is_contiguous()
    if as_a_whole or not numbers.device.type == device.type == "cpu":
        return numbers.to(device, torch.float32)
    wide = torch.empty(numbers.shape, dtype=torch.float32)
    for block, narrow in zip(wide.view(-1).split(BLOCK), numbers.view(-1).split(BLOCK), strict=True):
        fetch_pages(memoryview(block.view(torch.uint8).numpy()))
        block.copy_(narrow)
    return wide


def as_kept(layer: nn.Module, numbers: Tensor) -> Tensor:
    """`numbers`, a weight that was changed, as `layer` keeps it: in 8 bits where it does that, else as it
    computes.
    """
    in_eight_bits = weight_of(layer).dtype is EIGHT_BITS
    return narrowed(numbers, EIGHT_BITS if in_eight_bits else computing_dtype(layer))


def narrowed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """`weight` in `dtype`. What is beyond the largest number of 8 bits becomes that: torch would make it no
    number.
    """
    return weight.clamp(-LARGEST, LARGEST).to(dtype) if dtype is EIGHT_BITS else weight.to(dtype)
