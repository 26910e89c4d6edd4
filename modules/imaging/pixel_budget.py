"""A budget of decoded pixels: what all callers together have in memory at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from modules.errors import TooBusy

__all__ = ["PixelBudget"]


class PixelBudget:
    """So many pixels at most are in use at a time; whoever wants more than is left waits."""

    def __init__(self, pixels: int) -> None:
        self._pixels = self._left = pixels
        self._given_back = threading.Condition()

    @property
    def left(self) -> int:
        """Pixels that nobody uses."""
        return self._left

    @contextmanager
    def part(self, pixels: int, seconds: float | None) -> Iterator[None]:
        """`pixels` of the budget, or all of it, while the block runs.

        Waits up to `seconds`, None: as long as it takes. Raises TooBusy when they are over.
        """
        wanted = min(pixels, self._pixels)
        with self._given_back:
            if not self._given_back.wait_for(lambda: self._left >= wanted, seconds):
                raise TooBusy("Other calls are decoding as many pictures as fit into the memory")
            self._left -= wanted
        try:
            yield
        finally:
            with self._given_back:
                self._left += wanted
                self._given_back.notify_all()
