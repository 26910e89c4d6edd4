"""The guard before the queue: what cannot fit into the memory is refused before it is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modules.checkpoints import CheckpointFile, Model
from modules.generation.costs import CostBook
from modules.generation.demand import refusal_of, rough_bytes, strips_of, work_of
from modules.generation.run import Run
from modules.generation.strips import SHARES, VaeStrips
from modules.memory import (
    AttentionKind,
    DevicePolicy,
    Forecast,
    Work,
    forecast,
    give_back_heap,
    memory_for_us,
    resident_memory,
)

__all__ = ["MemoryGuard"]


class MemoryGuard:
    """Compares what a run will take with what the program can have, and remembers what it holds at rest."""

    def __init__(self, book: CostBook, policy: DevicePolicy, workers: int = 1) -> None:
        self._book, self._policy, self._workers = book, policy, workers
        self._resting = self._held()

    def rested(self, models: Iterable[Model]) -> None:
        """A run is over: what the program holds now besides `models` is what it holds before the next."""
        give_back_heap()
        self._resting = max(self._held() - sum(model.nbytes for model in models), 0)

    def spare(
        self, run: Run, checkpoints: Sequence[CheckpointFile], attention: AttentionKind, given_pixels: int = 0
    ) -> int | None:
        """Bytes that `run`, which draws with `checkpoints`, leaves to models that are kept for later; None
        where that cannot be told.
        """
        room = memory_for_us(self._policy.device)
        if room is None:
            return None
        first, *others = checkpoints
        needed = self.forecast(run, first, attention, given_pixels).peak
        for each in set(others) - {first}:
            needed += self._book.costs(each, run.options.fp8_storage).weights
        return max(room // self._workers - needed, 0)

    def forecast(
        self, run: Run, checkpoint: CheckpointFile, attention: AttentionKind, given_pixels: int = 0
    ) -> Forecast:
        """Bytes of this process, or of its device, that `run` will take."""
        costs = self._book.costs(checkpoint, run.options.fp8_storage)
        return forecast(costs, work_of(run, attention, given_pixels), self._resting)

    def check(
        self, run: Run, checkpoint: CheckpointFile, attention: AttentionKind, given_pixels: int = 0
    ) -> None:
        """Raises NotEnoughMemory for a run that cannot fit. The checkpoint is looked at only where a rough
        bound does not settle it.
        """
        room = memory_for_us(self._policy.device)
        if not run.options.memory_forecast or room is None:
            return
        room //= self._workers
        work = work_of(run, attention, given_pixels)
        if self._fits_roughly(work, checkpoint, room):
            return
        costs = self._book.costs(checkpoint, run.options.fp8_storage)
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
        if self._fits_roughly(work, checkpoint, room):
            return None
        return strips_of(run, work, self._book.costs(checkpoint, options.fp8_storage), self._resting, room)

    def _fits_roughly(self, work: Work, checkpoint: CheckpointFile, room: int) -> bool:
        rough = rough_bytes(work, checkpoint.size)
        return rough is not None and self._resting + rough < room

    def _held(self) -> int:
        """A device holds nothing but the model."""
        return resident_memory() if self._policy.device.type == "cpu" else 0
