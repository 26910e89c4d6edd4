"""What a start tells: how long its steps took, and that no graphics card is used."""

import logging
import time

import psutil

from modules.flags import Flags

__all__ = ["StartClock", "missing_card"]

log = logging.getLogger(__name__)


class StartClock:
    """Writes to the log how long each step of the start took, where that `is_asked`. The first, Python and
    its libraries, ends when it is made.
    """

    def __init__(self, is_asked: bool) -> None:
        self._is_asked, self._last = is_asked, psutil.Process().create_time()
        self.step("Python and its libraries")

    def step(self, name: str) -> None:
        """The step `name` ends now."""
        before, self._last = self._last, time.time()
        if self._is_asked:
            log.info("%6.2f s  %s", self._last - before, name)


def missing_card(flags: Flags, device: str) -> str | None:
    """A sentence for who did not ask for it that pictures are drawn on the processor; `device`: the kind of
    device that draws, "cpu".
    """
    if device != "cpu" or flags.use_cpu or flags.skip_torch_cuda_test:
        return None
    return (
        "Pictures are drawn on the processor, which is slow: torch finds no graphics card that it can use. "
        "If there is one, update its driver and start once with --reinstall. --skip-torch-cuda-test: do not "
        "say this."
    )
