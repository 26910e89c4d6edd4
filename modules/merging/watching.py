"""How a merge tells how far it is, and how it is stopped."""

from __future__ import annotations

from typing import Protocol

from modules.errors import EaselError

__all__ = ["MergeStopped", "MergeWatcher", "Unwatched"]


class MergeStopped(EaselError):
    """Somebody stopped the merge; nothing is left of it."""

    def __init__(self) -> None:
        super().__init__("Stopped. No file was written.")


class MergeWatcher(Protocol):
    """Who follows a merge. Both are called some times a second, from the thread that merges."""

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` bytes of what is called `stage` ("Hashing a.safetensors", "Writing ...")."""

    def should_stop(self) -> bool:
        """Whether to end now, with MergeStopped."""


class Unwatched:
    """Nobody follows."""

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Nothing happens."""

    def should_stop(self) -> bool:
        """Never."""
        return False
