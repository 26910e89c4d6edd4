"""How long the threads of a computation wait for one another with their core kept busy."""

from collections.abc import MutableMapping

__all__ = ["WAIT_POLICY", "choose_wait_policy"]

WAIT_POLICY = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "300000"}
"""For GNU's OpenMP: look at a lock so often before sleeping, its own default, but sleep at once as long as
there are more threads than cores. `modules/memory/spinning.py` makes that so on a busy machine.
"""


def choose_wait_policy(environment: MutableMapping[str, str]) -> None:
    """Let the program choose how threads wait, unless the person has said how they are to.

    It counts for torch only before it is loaded, and for every process that is started with `environment`.
    """
    if not WAIT_POLICY.keys() & environment.keys():
        environment.update(WAIT_POLICY)
