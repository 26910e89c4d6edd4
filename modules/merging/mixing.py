"""What is computed from the tensors of several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["AddDifference", "FirstChannels", "Linear", "Mix", "WeightedSum", "common_dtype", "is_eight_bit"]


class Mix(Protocol):
    """Tensors of one shape to a tensor of that shape; the type of the answer is the caller's to change."""

    @property
    def is_elementwise(self) -> bool:
        """Whether it may be done in pieces of any size."""

    def __call__(self, parts: Sequence[Tensor]) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """(1 - m) * A + m * B, rounded to the tensors' own type after each operation, as the field's programs do
    it.
    """

    multiplier: float
    is_elementwise = True

    def __call__(self, parts: Sequence[Tensor]) -> Tensor:
        """Of A and B."""
        a, b = map(_computable, parts)
        return (1 - self.multiplier) * a + self.multiplier * b


@dataclass(frozen=True, slots=True)
class AddDifference:
    """A + m * (B - C), rounded to the tensors' own type after each operation."""

    multiplier: float
    is_elementwise = True

    def __call__(self, parts: Sequence[Tensor]) -> Tensor:
        """Of A, B and C."""
        a, b, c = map(_computable, parts)
        return a + self.multiplier * (b - c)


@dataclass(frozen=True, slots=True)
class Linear:
    """The sum of each tensor times its factor, in float64: so exactly that one rounding remains, even where
    large numbers cancel each other out.
    """

    factors: tuple[float, ...]
    is_elementwise = True

    def __call__(self, parts: Sequence[Tensor]) -> Tensor:
        """Of as many tensors as there are factors."""
        total = parts[0].double().mul_(self.factors[0])
        for part, factor in zip(parts[1:], self.factors[1:], strict=True):
            total.add_(part.double(), alpha=factor)
        return total


def common_dtype(dtypes: Sequence[torch.dtype]) -> torch.dtype:
    """The type of what is computed from tensors of these types: one that holds the numbers of all of them."""
    if len(set(dtypes)) == 1:
        return dtypes[0]
    return reduce(torch.promote_types, (torch.float16 if is_eight_bit(each) else each for each in dtypes))


def is_eight_bit(dtype: torch.dtype) -> bool:
    """Whether it is one of the floating types of 8 bits, in which no processor computes."""
    return dtype.is_floating_point and dtype.itemsize == 1


def _computable(tensor: Tensor) -> Tensor:
    return tensor.float() if is_eight_bit(tensor.dtype) else tensor


@dataclass(frozen=True, slots=True)
class FirstChannels:
    """`mix` in the first so many input channels, of a tensor that has more of them than others; the rest stay
    as they are in the first tensor.
    """

    mix: Mix
    channels: int
    first_is_mixed: bool
    """Whether the first tensor is one of those that `mix` is of."""

    is_elementwise = False

    def __call__(self, parts: Sequence[Tensor]) -> Tensor:
        """Of the tensor that has more channels, and others."""
        mixed = parts if self.first_is_mixed else parts[1:]
        result = _computable(parts[0]).clone()
        result[:, : self.channels] = self.mix([part[:, : self.channels] for part in mixed])
        return result
