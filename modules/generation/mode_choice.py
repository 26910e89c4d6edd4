"""Which memory mode a job is drawn in: what the flags ask for, or a lighter one where that does not fit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from modules.checkpoints import CheckpointFile
from modules.errors import EaselError
from modules.flags import Flags
from modules.generation.guard import MemoryGuard
from modules.generation.run import Run
from modules.memory import AttentionKind, DevicePolicy, MemoryMode, lightest, mode_of_flags, modes_matter

__all__ = ["ModeChoice"]

log = logging.getLogger(__name__)


class ModeChoice:
    """Chooses modes for one device. One that computes in the machine's own memory has the normal mode alone,
    which is said in the log where a flag asks for another.
    """

    def __init__(self, flags: Flags, policy: DevicePolicy, guard: MemoryGuard) -> None:
        self._flags, self._guard = flags, guard
        self._matters = modes_matter(policy.device)
        names = ("medvram", "medvram_sdxl", "lowvram")
        given = [f"--{name.replace('_', '-')}" for name in names if getattr(flags, name)]
        if given and not self._matters:
            log.warning(
                "%s: without effect here, for %s computes in the machine's own memory, where the whole model "
                "is anyway.", " ".join(given), policy.device_name,
            )  # fmt: skip

    def wanted(self, checkpoints: Sequence[CheckpointFile]) -> MemoryMode:
        """The mode that the flags ask for where a job draws with `checkpoints`: of several, the lightest."""
        if not self._matters:
            return MemoryMode.NORMAL
        return lightest(*(mode_of_flags(self._flags, is_xl=self._is_xl(each)) for each in checkpoints))

    def choose(
        self,
        run: Run,
        checkpoints: Sequence[CheckpointFile],
        attention: AttentionKind,
        given_pixels: int,
        note: Callable[[str], None],
    ) -> MemoryMode:
        """The mode in which `run` fits, that of the flags if it does; `note` is told where it does not."""
        wanted = self.wanted(checkpoints)
        # A file that cannot be loaded is refused when it is opened.
        with suppress(EaselError):
            mode = self._guard.fitting_mode(run, checkpoints, attention, given_pixels, wanted)
            if mode is not wanted:
                note(
                    f"In the memory mode {wanted} this does not fit into the device's memory, so it is drawn "
                    f"in the mode {mode}, which gives the same picture and takes longer."
                )
            return mode
        return wanted

    def _is_xl(self, checkpoint: CheckpointFile) -> bool:
        if not self._flags.medvram_sdxl:
            return False
        with suppress(EaselError):
            return self._guard.is_xl(checkpoint)
        return False
