"""Filling a module with a file's tensors, each read once and straight into its type and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from modules.checkpoints.model import WIDE, KeptWeights
from modules.checkpoints.narrow import (
    EIGHT_BITS,
    compute_in_parts,
    is_worth_widening,
    keep_in_eight_bits,
    narrow_layers,
    widen_when_computing,
)
from modules.checkpoints.sources import Sources
from modules.errors import UnusableFile

__all__ = ["Blueprint", "draw_blueprint"]

M = TypeVar("M", bound=nn.Module)
READERS = 2
"""Threads that read a file: with two, what a processor does for one and the disk for the other overlap."""


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
        layers = self._layers()

        def read(name: str) -> Tensor:
            layer, shape = layers[name], self.module.get_parameter(name).shape
            stored = self._stored_type(name, layer, dtype, kept)
            read_as = dtype if stored is EIGHT_BITS else stored
            numbers = self.sources[name].read(read_as, device).reshape(shape)
            if layer is None:
                return numbers
            if stored is EIGHT_BITS:
                return keep_in_eight_bits(layer, numbers, exact_copy=kept.exact_copies)
            if stored is not dtype:
                widen_when_computing(layer, dtype)
            elif device.type == "cpu":
                compute_in_parts(layer, dtype)
            return numbers

        with ThreadPoolExecutor(READERS) as readers:
            for name, numbers in zip(layers, readers.map(read, layers), strict=True):
                owner, _, what = name.rpartition(".")
                setattr(self.module.get_submodule(owner), what, nn.Parameter(numbers, requires_grad=False))
        return self.module.eval()

    def weight_bytes(self, dtype: torch.dtype, kept: KeptWeights = WIDE) -> dict[nn.Parameter, int]:
        """What each parameter of the module will take once it is built so."""
        return {
            parameter: parameter.numel() * self._stored_type(name, layer, dtype, kept).itemsize
            for name, layer in self._layers().items()
            for parameter in [self.module.get_parameter(name)]
        }

    def _layers(self) -> dict[str, nn.Module | None]:
        """The names of all parameters; those of weights that may be kept narrow with their layers."""
        layers = {f"{name}.weight".lstrip("."): layer for name, layer in narrow_layers(self.module).items()}
        return {name: layers.get(name) for name, _ in self.module.named_parameters()}

    def _stored_type(
        self, name: str, layer: nn.Module | None, dtype: torch.dtype, kept: KeptWeights
    ) -> torch.dtype:
        """The type in which a parameter, the weight of `layer` where that may be narrow, is in memory."""
        if layer is None:
            return dtype
        if kept.eight_bits and not isinstance(layer, nn.Embedding):
            return EIGHT_BITS
        if kept.as_in_file and is_worth_widening(layer):
            return self.sources[name].narrow_type(dtype)
        return dtype


def draw_blueprint(make: Callable[[], M], sources: Sources, file: str, part: str) -> Blueprint[M]:
    """The blueprint of what `make` makes, called `part` ("UNet") of `file` (its name) in errors.

    sources: by the module's parameter names; further ones are ignored. A 1x1 convolution may fill a linear
    layer. Raises EaselError for impossible sizes, a missing tensor, and one of another size.
    """
    try:
        with torch.device("meta"), _Unfilled():
            module = make()
    except (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError) as error:
        raise UnusableFile(f"{file}: no {part} can be built with the sizes it has ({error}).") from error
    _check(dict(module.named_parameters()), sources, file, part)
    return Blueprint(module, sources)


class _Unfilled(TorchFunctionMode):
    """Modules are made without their first random numbers: a third of the time of making them."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if getattr(func, "__module__", "") == nn.init.__name__:
            return kwargs["tensor"] if kwargs else args[0]
        return func(*args, **(kwargs or {}))


def _check(wanted: Mapping[str, nn.Parameter], sources: Sources, file: str, part: str) -> None:
    missing = [name for name in wanted if name not in sources]
    if missing:
        raise UnusableFile(
            f"{file} lacks {len(missing)} of the {len(wanted)} tensors of the {part}, such as "
            f'"{missing[0]}". It is incomplete, or of a kind that Easel does not know.'
        )
    for name, parameter in wanted.items():
        stored = sources[name].stored
        if stored.numel != parameter.numel() or stored.shape[:1] != tuple(parameter.shape[:1]):
            raise UnusableFile(
                f'{file}: the tensor for "{name}" of the {part} has the shape {list(stored.shape)} where '
                f"{list(parameter.shape)} is needed. The file is damaged or of a kind that is not known here."
            )
