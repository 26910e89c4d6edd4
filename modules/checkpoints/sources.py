"""Tensors of open files under the names by which a model's parts look for them, not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modules.checkpoints.conversion import converted
from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.errors import UnusableFile

__all__ = ["Source", "Sources", "part_of", "sources_of"]

SCALE = "scale_weight"
"""What programs that write files in 8 bits call the scale of a layer's weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A tensor of an open file, or a part of one."""

    file: TensorFile
    stored: StoredTensor
    scale: StoredTensor | None = None
    """A number that all of the tensor's are multiplied by; files in 8 bits have it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.stored.shape

    def narrow_type(self, computing: torch.dtype) -> torch.dtype:
        """A type of 16 bits that holds the numbers exactly, where `computing` has more; else `computing`."""
        stored, is_scaled = self.stored.dtype, self.scale is not None
        if is_scaled or not stored.is_floating_point or computing.itemsize <= 2:
            return computing
        return {1: torch.float16, 2: stored}.get(stored.itemsize, computing)

    def rows(self, number: int, of: int) -> Source:
        """The `number`-th (from 0) of `of` equal parts along the first axis."""
        return replace(self, stored=self.stored.rows(number, of))

    def transposed(self) -> Source:
        """The same numbers with the axes in reverse."""
        return replace(self, stored=self.stored.transposed())

    def read(self, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> Tensor:
        """The numbers in memory of their own, in `dtype` (None: as stored), on `device`."""
        if self.scale is None:
            return self.file.read_stored(self.stored, dtype, device)
        numbers = self.file.read_stored(self.stored, torch.float32)
        numbers *= self.file.read_stored(self.scale, torch.float32)
        return converted(numbers, dtype or torch.float32, device, copy=False)


Sources = Mapping[str, Source]


def sources_of(file: TensorFile) -> dict[str, Source]:
    """All tensors of an open file by their names. Raises EaselError for unknown scales."""
    return {name: Source(file, stored, _scale_of(name, file)) for name, stored in file.tensors.items()}


def _scale_of(name: str, file: TensorFile) -> StoredTensor | None:
    layer, _, what = name.rpartition(".")
    scale = file.tensors.get(f"{layer}.{SCALE}") if what == "weight" else None
    if scale and scale.numel != 1:
        raise UnusableFile(
            f'{file.path.name} scales "{name}" by {scale.numel} numbers; Easel knows files in 8 bits '
            "with one scale a layer. Fetch the model in half precision."
        )
    return scale


def part_of(sources: Sources, prefix: str) -> dict[str, Source]:
    """Those whose names begin with `prefix`, without it."""
    return {name[len(prefix) :]: source for name, source in sources.items() if name.startswith(prefix)}
