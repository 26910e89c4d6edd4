"""Tensors of open files under the names by which a model's parts look for them, not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modules.checkpoints.tensor_file import StoredTensor, TensorFile

__all__ = ["Source", "Sources", "part_of", "sources_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A tensor of an open file, or a part of one."""

    file: TensorFile
    stored: StoredTensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.stored.shape

    def rows(self, number: int, of: int) -> Source:
        """The `number`-th (from 0) of `of` equal parts along the first axis."""
        return replace(self, stored=self.stored.rows(number, of))

    def transposed(self) -> Source:
        """The same numbers with the axes in reverse."""
        return replace(self, stored=self.stored.transposed())

    def read(self, dtype: torch.dtype | None = None, device: torch.device | str = "cpu") -> Tensor:
        """The numbers in memory of their own, in `dtype` (None: as stored), on `device`."""
        return self.file.read_stored(self.stored, dtype, device)


Sources = Mapping[str, Source]


def sources_of(file: TensorFile) -> dict[str, Source]:
    """All tensors of an open file by their names."""
    return {name: Source(file, stored) for name, stored in file.tensors.items()}


def part_of(sources: Sources, prefix: str) -> dict[str, Source]:
    """Those whose names begin with `prefix`, without it."""
    return {name[len(prefix) :]: source for name, source in sources.items() if name.startswith(prefix)}
