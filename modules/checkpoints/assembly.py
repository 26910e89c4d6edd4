"""Filling a module with a file's tensors, each read once and straight into its type and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.errors import EaselError

__all__ = ["Blueprint", "draw_blueprint", "part_of"]

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint(Generic[M]):
    """A module without memory, and where its parameters lie in `file`: everything is checked, nothing is
    read.
    """

    module: M
    file: TensorFile
    names: Mapping[str, str]
    """The module's parameter names -> the file's."""

    def build(self, dtype: torch.dtype, device: torch.device) -> M:
        """The module in evaluation mode, its parameters read from the file. May be called once."""
        filled = {
            name: self.file.read(self.names[name], dtype, device).reshape(parameter.shape)
            for name, parameter in self.module.named_parameters()
        }
        self.module.load_state_dict(filled, strict=False, assign=True)
        return self.module.requires_grad_(False).eval()


def part_of(file: TensorFile, prefix: str) -> dict[str, StoredTensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name[len(prefix) :]: stored for name, stored in file.tensors.items() if name.startswith(prefix)}


def draw_blueprint(
    make: Callable[[], M], file: TensorFile, names: Mapping[str, str], part: str
) -> Blueprint[M]:
    """The blueprint of what `make` makes, called `part` ("UNet") in errors.

    names: the module's parameter names -> the file's; further ones are ignored. A 1x1 convolution may fill
    a linear layer. Raises EaselError for impossible sizes, a missing tensor, and one of another size.
    """
    try:
        with torch.device("meta"):
            module = make()
    except (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError) as error:
        raise EaselError(
            f"{file.path.name}: no {part} can be built with the sizes it has ({error})."
        ) from error
    _check(file, dict(module.named_parameters()), names, part)
    return Blueprint(module, file, names)


def _check(file: TensorFile, wanted: Mapping[str, nn.Parameter], names: Mapping[str, str], part: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise EaselError(
            f"{file.path.name} lacks {len(missing)} of the {len(wanted)} tensors of the {part}, such as "
            f'"{missing[0]}". It is incomplete, or of a kind that Easel does not know.'
        )
    for name, parameter in wanted.items():
        stored = file.tensors[names[name]]
        if stored.numel != parameter.numel() or stored.shape[:1] != tuple(parameter.shape[:1]):
            raise EaselError(
                f'{file.path.name}: the tensor "{names[name]}" has the shape {list(stored.shape)} where '
                f"{list(parameter.shape)} is needed. The file is damaged or of a kind that is not known here."
            )
