"""Who fails to log in has to wait, longer with each failure; nobody else does."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Throttle"]

FIRST_DELAY = 0.25
LONGEST_DELAY = 8.0
PATIENCE = 30.0
"""Seconds that an attempt may be kept waiting; past that it is refused."""
FORGIVEN_SECONDS = 900.0
"""An address that has not failed for so long begins anew."""
MOST_ADDRESSES = 10_000
MOST_NAMES = 20
"""Names whose failures are told apart, of one address; those of all others count together."""
LONGEST_NAME = 100
OTHERS = ""


@dataclass
class _Failures:
    """What an address did wrong: how often under which name, when last, and when it may try again."""

    by_name: Counter[str] = field(default_factory=Counter)
    last: float = 0.0
    free: float = 0.0


class Throttle:
    """Delays by address. An attempt takes the next free moment, so that many at once wait one for another.

    A success forgives the failures under the same name alone: whoever has an account of his own cannot use
    it to guess the password of another one without delay.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, address: str) -> float | None:
        """Seconds before an attempt of `address` may be looked at; None: too many are waiting already."""
        now = self._clock()
        failures = self._failures.get(address)
        if failures is None or now - max(failures.last, failures.free) > FORGIVEN_SECONDS:
            self._failures.pop(address, None)
            return 0.0
        start = max(now, failures.free)
        if start - now > PATIENCE:
            return None
        failures.free = start + self._delay(failures.by_name.total())
        return start - now

    def failed(self, address: str, name: str) -> None:
        """An attempt of `address` to be `name` was wrong."""
        failures = self._failures.pop(address, None) or _Failures()
        failures.by_name[self._key(failures, name)] += 1
        failures.last = self._clock()
        failures.free = max(failures.free, failures.last + self._delay(failures.by_name.total()))
        self._failures[address] = failures
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """An attempt of `address` to be `name` was right: its failures under this name are forgotten."""
        if failures := self._failures.get(address):
            failures.by_name.pop(name[:LONGEST_NAME], None)
            if not failures.by_name:
                del self._failures[address]

    @staticmethod
    def _key(failures: _Failures, name: str) -> str:
        known = name[:LONGEST_NAME]
        return known if known in failures.by_name or len(failures.by_name) < MOST_NAMES else OTHERS

    @staticmethod
    def _delay(count: int) -> float:
        return float(min(FIRST_DELAY * 2 ** min(count - 1, 10), LONGEST_DELAY))
