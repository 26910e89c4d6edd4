"""The kinds of networks, a file each: how its tensors change a weight."""

from __future__ import annotations

from collections.abc import Callable

from modules.adapters.kinds.decomposed import Decomposed
from modules.adapters.kinds.glora import read_generalised
from modules.adapters.kinds.hadamard import read_hadamard
from modules.adapters.kinds.kronecker import read_kronecker
from modules.adapters.kinds.low_rank import LowRank, read_low_rank
from modules.adapters.kinds.orthogonal import read_orthogonal
from modules.adapters.kinds.part import Part, Tensors
from modules.adapters.kinds.plain import read_difference, read_scaling

__all__ = ["TENSOR_NAMES", "LowRank", "Part", "Tensors", "read_part"]

READERS: tuple[Callable[[Tensors], Part | None], ...] = (
    read_low_rank,
    read_hadamard,
    read_kronecker,
    read_scaling,
    read_difference,
    read_orthogonal,
    read_generalised,
)

TENSOR_NAMES = (
    "lora_up.weight", "lora_down.weight", "lora_mid.weight", "alpha", "scale", "dora_scale", "diff", "diff_b",
    "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2",
    "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2",
    "on_input", "weight", "w_norm", "b_norm", "oft_blocks", "oft_diag", "rescale",
    "a1.weight", "a2.weight", "b1.weight", "b2.weight", "bm.weight",
)  # fmt: skip
"""How a network's tensors end, behind the name of their module."""


def read_part(tensors: Tensors, with_magnitudes: bool = True) -> Part | None:
    """The change that the tensors of one module describe, None for a kind that is not known.

    Not `with_magnitudes`, those of DoRA are left out.
    """
    part = next((found for reader in READERS if (found := reader(tensors)) is not None), None)
    if part is not None and with_magnitudes and "dora_scale" in tensors:
        return Decomposed(part, tensors["dora_scale"])
    return part
