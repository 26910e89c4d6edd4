"""OFT (Qiu et al. 2023) and BOFT (Liu et al. 2023): the output rows are turned, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.adapters.kinds.part import Tensors

__all__ = ["Orthogonal", "read_orthogonal"]


@dataclass(frozen=True, slots=True, eq=False)
class Orthogonal:
    """Rotations of blocks of rows, (blocks, n, n) or, in a butterfly of several stages, (stages, blocks, n,
    n).

    `blocks` are the skew-symmetric matrices' halves; where `is_rotation`, the rotations themselves. The norm
    of a matrix is held below `bound` times the number of rows; 0: no bound. `rescale` multiplies rows
    afterwards.
    """

    blocks: Tensor
    is_rotation: bool
    bound: float
    rescale: Tensor | None
    bias: Tensor | None = None

    def delta(self, weight: Tensor, ranks: int | None) -> Tensor:
        """See `Part`."""
        rotations = self._rotations(weight)
        turned = _butterfly(weight, rotations) if rotations.dim() == 4 else _turned(weight, rotations)
        if self.rescale is not None:
            turned = turned * self.rescale.to(weight).reshape(-1, *[1] * (weight.dim() - 1))
        return turned - weight

    def _rotations(self, like: Tensor) -> Tensor:
        """Cayley's map of the skew-symmetric matrices: (1 + q) (1 - q)^-1."""
        blocks = self.blocks.to(like)
        if self.is_rotation:
            return blocks
        skew = blocks - blocks.transpose(-1, -2)
        if self.bound:
            norm = torch.linalg.vector_norm(skew)
            skew = skew * ((norm.clamp(max=self.bound * like.shape[0]) + 1e-8) / (norm + 1e-8))
        one = torch.eye(skew.shape[-1]).to(like)
        return torch.linalg.solve(one - skew, one + skew, left=False)


def _turned(weight: Tensor, rotations: Tensor) -> Tensor:
    blocks, size = rotations.shape[0], rotations.shape[1]
    rows = weight.reshape(blocks, size, -1)
    return torch.einsum("knm,kni->kmi", rotations, rows).reshape(weight.shape)


def _butterfly(weight: Tensor, stages: Tensor) -> Tensor:
    """Rows are reordered before each stage, so that every row meets every other one after all of them."""
    half = stages.shape[-1] // 2
    rows = weight.flatten(1)
    for number, rotations in enumerate(stages):
        group = 2**number * half
        mixed = (
            rows.reshape(-1, 2, group, rows.shape[1])
            .transpose(1, 2)
            .reshape(rotations.shape[0], stages.shape[-1], -1)
        )
        turned = torch.einsum("kmn,kni->kmi", rotations, mixed)
        rows = turned.reshape(-1, group, 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape)
    return rows.reshape(weight.shape)


def read_orthogonal(tensors: Tensors) -> Orthogonal | None:
    """The part that `tensors` describe, None for another kind. alpha is the bound of the norm."""
    bound = float(tensors["alpha"].item()) if "alpha" in tensors else 0.0
    for name, is_rotation in (("oft_blocks", False), ("oft_diag", True)):
        if name in tensors:
            return Orthogonal(tensors[name], is_rotation, bound, tensors.get("rescale"))
    return None
