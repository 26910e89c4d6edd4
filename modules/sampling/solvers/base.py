"""What a solver is: a generator over tensors that walks from noise to a latent, one step at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from torch import Tensor

__all__ = [
    "Denoise",
    "PredictNoise",
    "SigmaSolver",
    "SolverParams",
    "Step",
    "StepNoise",
    "TimeSolver",
    "UniPCParams",
    "UniPCSkip",
    "UniPCVariant",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One finished step: `x` (B, C, h, w) after it, `denoised` the estimate of the clean latent it was made
    with, at `sigma`.
    """

    x: Tensor
    denoised: Tensor
    sigma: float


class UniPCVariant(StrEnum):
    """B(h) of Zhao et al. 2023: `bh1` is h, `bh2` is exp(h) - 1."""

    BH1 = "bh1"
    BH2 = "bh2"


class UniPCSkip(StrEnum):
    """How UniPC spreads its times: evenly, evenly in the square root of time, or evenly in log SNR."""

    TIME_UNIFORM = "time_uniform"
    TIME_QUADRATIC = "time_quadratic"
    LOG_SNR = "logSNR"


@dataclass(frozen=True)
class UniPCParams:
    """UniPC's own settings. `order` is at least 1; more than the number of steps counts as that number."""

    variant: UniPCVariant = UniPCVariant.BH1
    skip: UniPCSkip = UniPCSkip.TIME_UNIFORM
    order: int = 3
    lower_order_final: bool = True


@dataclass(frozen=True)
class SolverParams:
    """The numbers a solver may look at, in the letters of the papers; each solver says which it uses.

    `eta` scales the fresh noise of each step (0: none). `s_churn`, `s_tmin`, `s_tmax`, `s_noise`: Karras et
    al. 2022, algorithm 2. `evaluations`: how many network evaluations DPM fast may spend. `from_latent`: the
    start is a noised picture.
    """

    eta: float = 1.0
    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float = float("inf")
    s_noise: float = 1.0
    evaluations: int = 0
    from_latent: bool = False
    unipc: UniPCParams = field(default_factory=UniPCParams)


class Denoise(Protocol):
    """The guided estimate of the clean latent: x (B, C, h, w) with noise of standard deviation `sigma` -> (B,
    C, h, w).
    """

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor: ...


class PredictNoise(Protocol):
    """The guided noise prediction of a variance preserving model at a time 0 .. 999, whole or not."""

    @property
    def alphas_cumprod(self) -> Sequence[float]:
        """The model's own, (T,)."""
        ...

    def __call__(self, x: Tensor, time: float, /) -> Tensor: ...

    def with_unconditional(self, x: Tensor, time: float, /) -> tuple[Tensor, Tensor]:
        """The guided prediction and the one for the negative prompt alone."""
        ...


class StepNoise(Protocol):
    """Where a solver takes its randomness from; every picture of the batch has its own."""

    def next(self) -> Tensor:
        """The next standard normal draw (B, C, h, w)."""
        ...

    def between(self, sigma: float, sigma_next: float) -> Tensor:
        """Brownian noise for the step sigma -> sigma_next, scaled to unit variance, (B, C, h, w)."""
        ...


SigmaSolver = Callable[[Denoise, Tensor, Sequence[float], StepNoise, SolverParams], Iterator[Step]]
"""(denoise, x, sigmas, noise, params): `sigmas` falls; x (B, C, h, w) has noise of standard deviation
sigmas[0].
"""

TimeSolver = Callable[[PredictNoise, Tensor, Sequence[int], StepNoise, SolverParams], Iterator[Step]]
"""(predict, x, times, noise, params): `times` rises, whole numbers 0 .. 999; x (B, C, h, w) is at the last of
them.
"""
