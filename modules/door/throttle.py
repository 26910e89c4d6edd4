"""Who fails to log in has to wait, longer with each failure; nobody else does."""

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Throttle"]

FIRST_DELAY = 0.25
LONGEST_DELAY = 8.0
PATIENCE = 30.0
"""Seconds that an attempt may be kept waiting; past that it is refused."""
MOST_ADDRESSES = 10_000


class Throttle:
    """Delays by address. An attempt takes the next free moment, so that many at once wait one for another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float | None:
        """Seconds before an attempt of `address` may be looked at; None: too many are waiting already."""
        count, free = self._failures.get(address, (0, 0.0))
        if not count:
            return 0.0
        now = self._clock()
        start = max(now, free)
        if start - now > PATIENCE:
            return None
        self._failures[address] = (count, start + self._delay(count))
        return start - now

    def failed(self, address: str) -> None:
        """An attempt of `address` was wrong."""
        count, free = self._failures.pop(address, (0, 0.0))
        count += 1
        self._failures[address] = (count, max(free, self._clock() + self._delay(count)))
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """An attempt of `address` was right: its failures are forgotten."""
        self._failures.pop(address, None)

    @staticmethod
    def _delay(count: int) -> float:
        return float(min(FIRST_DELAY * 2 ** min(count - 1, 10), LONGEST_DELAY))
