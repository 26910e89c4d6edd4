"""What text encoders answered before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Protocol
from weakref import WeakKeyDictionary

from torch import nn

__all__ = ["EncodingCache"]


class Kept(Protocol):
    """What can be kept: a tensor or several."""

    @property
    def nbytes(self) -> int: ...


class EncodingCache:
    """Encoded chunks by encoder and key; the longest unused leave first.

    At most `limit_bytes` are kept for each encoder, and its entries vanish with it. Whoever changes an
    encoder's weights calls `clear`.
    """

    def __init__(self, limit_bytes: int = 64 << 20) -> None:
        self._limit = limit_bytes
        self._entries: WeakKeyDictionary[nn.Module, OrderedDict[Hashable, Kept]] = WeakKeyDictionary()

    def get(self, encoder: nn.Module, key: Hashable) -> Kept | None:
        """What is kept for `key`, or None."""
        entries = self._entries.get(encoder, OrderedDict())
        if key not in entries:
            return None
        entries.move_to_end(key)
        return entries[key]

    def put(self, encoder: nn.Module, key: Hashable, answer: Kept) -> None:
        """Keep `answer`, and let go of what has no room any more."""
        entries = self._entries.setdefault(encoder, OrderedDict())
        entries[key] = answer
        entries.move_to_end(key)
        while len(entries) > 1 and len(entries) * answer.nbytes > self._limit:
            entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._entries.values())
