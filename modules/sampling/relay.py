"""A pass that two networks share: at some point another one takes over (the refiner)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from modules.sampling.denoiser import GuidedDenoiser, GuidedNoise
from modules.sampling.guidance import Network
from modules.sampling.noise_table import NoiseTable
from modules.sampling.prompts import Prompts

__all__ = ["Handover", "RelayedDenoiser", "RelayedNoise", "Turn"]

D = TypeVar("D", GuidedDenoiser, GuidedNoise)

LAST_TIME, TIMES = 999, 1000


@dataclass(frozen=True)
class Turn:
    """When the second network takes over: at the first evaluation whose share of the schedule reaches
    `share`.

    That is the time's, (999 - time) / 1000; with `evaluations`, the number of all of the pass, it is that of
    those which are done.
    """

    share: float
    evaluations: int | None = None

    def has_come(self, time: float, evaluation: int) -> bool:
        """Whether it has at evaluation number `evaluation` (from 0), which is at `time`."""
        if self.evaluations is not None:
            return evaluation / self.evaluations >= self.share
        return (LAST_TIME - time) / TIMES >= self.share


@dataclass(frozen=True)
class Handover:
    """Another network takes over in the middle of a pass, with prompts and noise levels of its own.

    `share` (0 .. 1) says when, as in `Turn`, by evaluations with `by_steps`. `on_taken` is called when it
    happens.
    """

    network: Network
    table: NoiseTable
    prompts: Prompts
    share: float
    by_steps: bool = False
    on_taken: Callable[[], None] = lambda: None

    def turn(self, evaluations: int) -> Turn:
        """When it happens in a pass of that many."""
        return Turn(self.share, evaluations if self.by_steps else None)


class _Relay(Generic[D]):
    """Who evaluates now. `second` makes the successor, given the number of the evaluation it begins with."""

    def __init__(self, first: D, turn: Turn, second: Callable[[int], D]) -> None:
        self.now: D = first
        self._turn, self._taken = turn, False
        self._second: Callable[[int], D] = second

    def at(self, time: float) -> D:
        """Who makes the next evaluation, which is at `time`."""
        evaluation = self.now.guidance.evaluation
        if not self._taken and self._turn.has_come(time, evaluation):
            self.now, self._taken = self._second(evaluation), True
        return self.now


class RelayedDenoiser:
    """Denoise for solvers over noise levels, first by one, then by the other."""

    def __init__(
        self,
        first: GuidedDenoiser,
        turn: Turn,
        second: Callable[[int], GuidedDenoiser],
        table: NoiseTable,
    ) -> None:
        self._relay, self._table = _Relay(first, turn, second), table

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor:
        return self._relay.at(self._table.nearest_time(sigma))(x, sigma)


class RelayedNoise:
    """PredictNoise for solvers over times, first by one, then by the other."""

    def __init__(self, first: GuidedNoise, turn: Turn, second: Callable[[int], GuidedNoise]) -> None:
        self._relay = _Relay(first, turn, second)
        self.alphas_cumprod: Sequence[float] = first.alphas_cumprod

    def __call__(self, x: Tensor, time: float, /) -> Tensor:
        return self._relay.at(int(time))(x, time)

    def with_unconditional(self, x: Tensor, time: float, /) -> tuple[Tensor, Tensor]:
        """The guided prediction and the one for the negative prompt alone."""
        return self._relay.at(int(time)).with_unconditional(x, time)
