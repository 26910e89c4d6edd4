"""Filling a module with a file's tensors, each read once and straight into its type and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

from modules.checkpoints.eight_bits import eight_bit_layers, keep_in_eight_bits
from modules.checkpoints.model import WIDE, KeptWeights
from modules.checkpoints.sources import Sources
from modules.errors import EaselError

__all__ = ["Blueprint", "draw_blueprint"]

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint(Generic[M]):
    """A module without memory, and where its parameters lie: everything is checked, nothing is read."""

    module: M
    sources: Sources
    """By the names of the module's parameters."""

    def build(self, dtype: torch.dtype, device: torch.device, kept: KeptWeights = WIDE) -> M:
        """The module in evaluation mode, its parameters read from the file; `kept`: how the weights of its
        large layers are. May be called once.
        """
        layers = eight_bit_layers(self.module) if kept.eight_bits else {}
        filled = {}
        for name, parameter in list(self.module.named_parameters()):
            numbers = self.sources[name].read(dtype, device).reshape(parameter.shape)
            layer, _, what = name.rpartition(".")
            if what == "weight" and layer in layers:
                numbers = keep_in_eight_bits(layers[layer], numbers, exact_copy=kept.exact_copies)
            filled[name] = numbers
        self.module.load_state_dict(filled, strict=False, assign=True)
        return self.module.requires_grad_(False).eval()


def draw_blueprint(make: Callable[[], M], sources: Sources, file: str, part: str) -> Blueprint[M]:
    """The blueprint of what `make` makes, called `part` ("UNet") of `file` (its name) in errors.

    sources: by the module's parameter names; further ones are ignored. A 1x1 convolution may fill a linear
    layer. Raises EaselError for impossible sizes, a missing tensor, and one of another size.
    """
    try:
        with torch.device("meta"):
            module = make()
    except (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError) as error:
        raise EaselError(f"{file}: no {part} can be built with the sizes it has ({error}).") from error
    _check(dict(module.named_parameters()), sources, file, part)
    return Blueprint(module, sources)


def _check(wanted: Mapping[str, nn.Parameter], sources: Sources, file: str, part: str) -> None:
    missing = [name for name in wanted if name not in sources]
    if missing:
        raise EaselError(
            f"{file} lacks {len(missing)} of the {len(wanted)} tensors of the {part}, such as "
            f'"{missing[0]}". It is incomplete, or of a kind that Easel does not know.'
        )
    for name, parameter in wanted.items():
        stored = sources[name].stored
        if stored.numel != parameter.numel() or stored.shape[:1] != tuple(parameter.shape[:1]):
            raise EaselError(
                f'{file}: the tensor for "{name}" of the {part} has the shape {list(stored.shape)} where '
                f"{list(parameter.shape)} is needed. The file is damaged or of a kind that is not known here."
            )
