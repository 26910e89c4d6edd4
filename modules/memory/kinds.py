"""The kinds of attention that a person can choose."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["SLICED", "AttentionKind"]


class AttentionKind(StrEnum):
    """Values of the setting `cross_attention_optimization`."""

    AUTOMATIC = "Automatic"
    """torch's scaled dot product attention."""
    SDP = "sdp"
    """The same, asked for by name."""
    SDP_NO_MEM = "sdp-no-mem"
    """Without the memory-efficient kernel, whose results vary between runs."""
    XFORMERS = "xformers"
    SUB_QUADRATIC = "sub-quadratic"
    """In chunks of queries and of keys: memory grows more slowly than the matrix."""
    V1 = "V1"
    """Two heads at a time."""
    INVOKEAI = "InvokeAI"
    """In slices of a fixed number of bytes: of heads, or where one head is too large of its queries."""
    DOGGETTX = "Doggettx"
    """Whole while the memory that is free suffices, else in slices of queries."""
    NONE = "None"
    """The plain formula, with the whole matrix in memory."""


SLICED = frozenset(
    {AttentionKind.SUB_QUADRATIC, AttentionKind.V1, AttentionKind.INVOKEAI, AttentionKind.DOGGETTX}
)
"""Those that make the matrix a part at a time."""
