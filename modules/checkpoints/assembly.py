"""Filling a module with a file's tensors, each read once and straight into its type and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import nn

from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.errors import EaselError

__all__ = ["assemble", "part_of"]

M = TypeVar("M", bound=nn.Module)


def part_of(file: TensorFile, prefix: str) -> dict[str, StoredTensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name[len(prefix) :]: stored for name, stored in file.tensors.items() if name.startswith(prefix)}


def assemble(
    build: Callable[[], M],
    file: TensorFile,
    names: Mapping[str | None, str],
    dtype: torch.dtype,
    device: torch.device,
) -> M:
    """The module that `build` makes, in evaluation mode, its parameters read from `file`.

    names: the module's parameter names -> the file's; further ones are ignored. The module is made without
    memory first. 1x1 convolutions fill linear layers. Raises EaselError if a tensor is missing or has
    another size.
    """
    with torch.device("meta"):
        module = build()
    wanted = dict(module.named_parameters())
    _check(file, wanted, names)
    filled = {
        name: file.read(names[name], dtype, device).reshape(parameter.shape)
        for name, parameter in wanted.items()
    }
    module.load_state_dict(filled, strict=False, assign=True)
    return module.requires_grad_(False).eval()


def _check(file: TensorFile, wanted: Mapping[str, nn.Parameter], names: Mapping[str | None, str]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise EaselError(
            f"{file.path.name} lacks {len(missing)} of the {len(wanted)} tensors of this part of the model, "
            f'such as "{missing[0]}". It is incomplete or of a kind that Easel does not know.'
        )
    for name, parameter in wanted.items():
        stored = file.tensors[names[name]]
        if stored.numel != parameter.numel() or stored.shape[:1] != tuple(parameter.shape[:1]):
            raise EaselError(
                f'{file.path.name}: the tensor "{names[name]}" has the shape {list(stored.shape)} where '
                f"{list(parameter.shape)} is needed. The file is damaged, or of a kind that Easel does not "
                "know."
            )
