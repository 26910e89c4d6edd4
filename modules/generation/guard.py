"""The guard before the queue: what cannot fit into the memory is refused before it is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modules.checkpoints import CheckpointFile, Family, Model
from modules.generation.costs import CostBook
from modules.generation.demand import refusal_of, rough_bytes, strips_of, work_of
from modules.generation.run import Run
from modules.generation.strips import SHARES, VaeStrips
from modules.memory import (
    AttentionKind,
    DevicePolicy,
    Forecast,
    MemoryMode,
    Work,
    forecast,
    free_memory,
    give_back_heap,
    memory_for_us,
    modes_from,
    modes_matter,
    resident_memory,
)

__all__ = ["MemoryGuard"]


SMALL_HEAP = 32 << 20
"""Bytes of freed memory that the next run may find as it is."""


class MemoryGuard:
    """Compares what a run will take with what the program can have, and remembers what it holds at rest."""

    def __init__(self, book: CostBook, policy: DevicePolicy, workers: int = 1) -> None:
        self._book, self._policy, self._workers = book, policy, workers
        self._resting = self._held()
        self._lightest = MemoryMode.LOWVRAM if modes_matter(policy.device) else MemoryMode.NORMAL

    def rested(self, models: Iterable[Model]) -> None:
        """A run is over: what the program holds now besides `models` is what it holds before the next."""
        give_back_heap(SMALL_HEAP)
        self._resting = max(self._held() - sum(model.nbytes for model in models), 0)

    def spare(
        self,
        run: Run,
        checkpoints: Sequence[CheckpointFile],
        attention: AttentionKind,
        given_pixels: int = 0,
        mode: MemoryMode = MemoryMode.NORMAL,
    ) -> int | None:
        """Bytes that `run`, which draws with `checkpoints`, leaves to models that are kept for later; None
        where that cannot be told.
        """
        room = memory_for_us(self._policy.device)
        if room is None:
            return None
        needed = self._needed(run, checkpoints, work_of(run, attention, given_pixels), mode)
        return max(room // self._workers - needed, 0)

    def forecast(
        self,
        run: Run,
        checkpoint: CheckpointFile,
        attention: AttentionKind,
        given_pixels: int = 0,
        mode: MemoryMode = MemoryMode.NORMAL,
    ) -> Forecast:
        """Bytes of this process, or of its device, that `run` will take with the memory that is free now."""
        costs = self._book.costs(checkpoint, run.options.fp8_storage).in_mode(mode)
        free = free_memory(self._policy.device)
        return forecast(costs, work_of(run, attention, given_pixels), self._resting, free)

    def fitting_mode(
        self,
        run: Run,
        checkpoints: Sequence[CheckpointFile],
        attention: AttentionKind,
        given_pixels: int,
        wanted: MemoryMode,
    ) -> MemoryMode:
        """The first of `wanted` and the lighter modes in which `run`, which draws with `checkpoints`, fits;
        the lightest where none does. Without a forecast it is `wanted`.
        """
        if not modes_matter(self._policy.device) or not run.options.memory_forecast:
            return wanted
        room = memory_for_us(self._policy.device)
        if room is None:
            return wanted
        room //= self._workers
        work = work_of(run, attention, given_pixels)
        if self._fits_roughly(work, sum(each.size for each in set(checkpoints)), room):
            return wanted
        modes = modes_from(wanted)
        fitting = (mode for mode in modes if self._needed(run, checkpoints, work, mode) <= room)
        return next(fitting, modes[-1])

    def is_xl(self, checkpoint: CheckpointFile) -> bool:
        """Whether it is of Stable Diffusion XL, or its refiner. Raises EaselError for a file that cannot be
        loaded.
        """
        return self._book.family(checkpoint) in (Family.SDXL, Family.SDXL_REFINER)

    def _needed(self, run: Run, checkpoints: Sequence[CheckpointFile], work: Work, mode: MemoryMode) -> int:
        """Bytes for all of `checkpoints`, the first of which takes most of the work: what each needs while it
        is at work, with the weights of the others that are there all the time.
        """
        costs = [
            self._book.costs(each, run.options.fp8_storage).in_mode(mode)
            for each in dict.fromkeys(checkpoints)
        ]
        own, *others = costs
        besides = sum(each.weights for each in others)
        if mode is MemoryMode.NORMAL:
            return forecast(own, work, self._resting).peak + besides
        return max(forecast(each, work, self._resting).peak for each in costs)

    def check(
        self, run: Run, checkpoint: CheckpointFile, attention: AttentionKind, given_pixels: int = 0
    ) -> None:
        """Raises NotEnoughMemory for a run that cannot fit, not even in the lightest mode. The checkpoint is
        looked at only where a rough bound does not settle it.
        """
        room = memory_for_us(self._policy.device)
        if not run.options.memory_forecast or room is None:
            return
        room //= self._workers
        work = work_of(run, attention, given_pixels)
        if self._fits_roughly(work, checkpoint.size, room):
            return
        costs = self._book.costs(checkpoint, run.options.fp8_storage).in_mode(self._lightest)
        if refusal := refusal_of(work, costs, self._resting, room):
            raise refusal

    def strips(
        self, run: Run, checkpoint: CheckpointFile, attention: AttentionKind, given_pixels: int = 0
    ) -> VaeStrips | None:
        """How the VAE has to work for `run` to fit, where the settings leave that to the forecast."""
        options, room = run.options, memory_for_us(self._policy.device)
        if options.vae_strips == "From a size":
            return VaeStrips(
                share=SHARES[-1],
                decoding=options.vae_strips_from**2 - 1,
                encoding=options.vae_strips_from**2 - 1,
            )
        if options.vae_strips == "Never" or not options.memory_forecast or room is None:
            return None
        room //= self._workers
        work = work_of(run, attention, given_pixels)
        if self._fits_roughly(work, checkpoint.size, room):
            return None
        costs = self._book.costs(checkpoint, options.fp8_storage).in_mode(self._lightest)
        return strips_of(run, work, costs, self._resting, room)

    def _fits_roughly(self, work: Work, file_bytes: int, room: int) -> bool:
        rough = rough_bytes(work, file_bytes)
        return rough is not None and self._resting + rough < room

    def _held(self) -> int:
        """A device holds nothing but the model."""
        return resident_memory() if self._policy.device.type == "cpu" else 0
