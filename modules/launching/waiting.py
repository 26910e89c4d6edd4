"""How long the threads of a computation wait for one another with their core kept busy."""

from collections.abc import MutableMapping

__all__ = ["wait_briefly"]

SPINS = "10000"
"""Looks at the lock before a thread sleeps.

GNU's OpenMP takes 300000 when nobody says anything, and where another program wants the cores too each thread
then keeps the one that the other waits for. `benchmarks/busy_machine.py` measures what it costs and gains.
"""


def wait_briefly(environment: MutableMapping[str, str]) -> None:
    """Let threads sleep soon, unless the person has said how they are to wait.

    It counts for torch only before it is loaded, and for every process that is started with `environment`.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)
