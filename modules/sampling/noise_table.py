"""The noise levels a model was trained with, and how its network is scaled at each of them (BEHAVIOUR section
5).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["LcmTable", "NoiseLevels", "NoiseTable", "Prediction", "Scaling", "zero_terminal_snr"]

SIGMA_DATA = 0.5
LCM_TIME_SCALE = 10
LCM_ENTRIES = 50
LAST_ALPHA = 4.8973451890853435e-08
"""In the place of 0, whose noise level would be infinite; the field's programs agree on it."""


class Prediction(StrEnum):
    """The network's output: the noise, or v = sqrt(a) noise - sqrt(1 - a) clean (Salimans & Ho 2022)."""

    EPSILON = "epsilon"
    V = "v_prediction"


@dataclass(frozen=True, slots=True)
class Scaling:
    """denoised = skip * x + out * network(in_ * x, time)."""

    in_: float
    time: float
    skip: float
    out: float


class NoiseLevels(Protocol):
    """The map between noise level and time that schedules are made on. `sigmas` rises; `is_sdxl` chooses
    published schedules.
    """

    @property
    def sigmas(self) -> Sequence[float]: ...
    @property
    def is_sdxl(self) -> bool: ...

    def sigma_to_time(self, sigma: float) -> float: ...

    def times_to_sigmas(self, times: Tensor) -> Tensor: ...

    def scaling(self, sigma: float) -> Scaling: ...


def _interpolated(values: Tensor, places: Tensor) -> Tensor:
    """`values` (T,) at places 0 .. T - 1 (n,), linear in between."""
    low, share = places.floor().long(), places.frac()
    return (1 - share) * values[low] + share * values[(low + 1).clamp(max=len(values) - 1)]


def _noise_scaling(sigma: float, time: float) -> Scaling:
    """Of a network that predicts the noise."""
    return Scaling(1 / math.sqrt(sigma**2 + 1), time, 1.0, -sigma)


class NoiseTable:
    """sigma = sqrt((1 - a) / a) for each a of `alphas_cumprod` (T,), with logarithmic interpolation in
    between.

    All plain numbers on the CPU: a sampler's step asks the device nothing. `whole_times`: every level counts
    as the nearest of the table.
    """

    def __init__(
        self,
        alphas_cumprod: Tensor,
        prediction: Prediction = Prediction.EPSILON,
        is_sdxl: bool = False,
        whole_times: bool = False,
    ) -> None:
        alphas = alphas_cumprod.detach().to("cpu", torch.float32)
        self.alphas_cumprod: Sequence[float] = alphas.tolist()
        sigmas = ((1 - alphas) / alphas).sqrt()
        self.sigmas: Sequence[float] = sigmas.tolist()
        self.prediction, self.is_sdxl = prediction, is_sdxl
        self._whole_times = whole_times
        self._log_sigmas = sigmas.log()
        self._logs: Sequence[float] = self._log_sigmas.tolist()

    def sigma_to_time(self, sigma: float) -> float:
        """The time 0 .. T - 1 of a level > 0, linear in log sigma; levels outside count as the nearer end."""
        log = math.log(sigma)
        low = min(max(bisect_right(self._logs, log) - 1, 0), len(self._logs) - 2)
        share = (log - self._logs[low]) / (self._logs[low + 1] - self._logs[low])
        share = min(max(share, 0.0), 1.0)
        return low + (round(share) if self._whole_times else share)

    def nearest_time(self, sigma: float) -> int:
        """The time whose own level is nearest to `sigma`."""
        return min(range(len(self.sigmas)), key=lambda time: abs(self.sigmas[time] - sigma))

    def times_to_sigmas(self, times: Tensor) -> Tensor:
        """The levels (n,) at times 0 .. T - 1, whole or not, in float32 on the CPU."""
        return _interpolated(self._log_sigmas, times).exp()

    def scaling(self, sigma: float) -> Scaling:
        """How the network is used on x with noise of standard deviation `sigma`."""
        square = sigma**2 + 1
        time = self.sigma_to_time(sigma)
        if self.prediction is Prediction.V:
            return Scaling(1 / math.sqrt(square), time, 1 / square, -sigma / math.sqrt(square))
        return _noise_scaling(sigma, time)


class LcmTable:
    """The 50 levels a latent consistency model was distilled on: times 19, 39 .. 999 of `table`; sigmas go to
    the nearest.

    Its scaling makes the estimate the consistency function of Luo et al. 2023,
    https://arxiv.org/abs/2310.04378, section 4.1.
    """

    def __init__(self, table: NoiseTable) -> None:
        self._table, self.is_sdxl = table, table.is_sdxl
        self._stride = len(table.sigmas) // LCM_ENTRIES
        self.sigmas: Sequence[float] = table.sigmas[self._stride - 1 :: self._stride]
        self._log_sigmas = torch.tensor(self.sigmas).log()
        self._logs: Sequence[float] = self._log_sigmas.tolist()

    def _time_of_entry(self, entry: int) -> int:
        return (entry + 1) * self._stride - 1

    def sigma_to_time(self, sigma: float) -> float:
        """The time of the nearest entry in log sigma."""
        log = math.log(sigma)
        return self._time_of_entry(
            min(range(len(self._logs)), key=lambda entry: abs(self._logs[entry] - log))
        )

    def times_to_sigmas(self, times: Tensor) -> Tensor:
        """The levels (n,) at times, linear in log sigma between the entries; times outside count as the
        nearer end.
        """
        places = (times - (self._stride - 1)) / self._stride
        return _interpolated(self._log_sigmas, places.clamp(0, len(self.sigmas) - 1)).exp()

    def scaling(self, sigma: float) -> Scaling:
        """The network's scaling at `sigma` with the boundary conditions of a consistency model on top.

        The output counts as noise even where the model predicts v, sic (case sd2-lcm).
        """
        time = self.sigma_to_time(sigma)
        plain = _noise_scaling(sigma, time)
        scaled = LCM_TIME_SCALE * time
        skip = SIGMA_DATA**2 / (scaled**2 + SIGMA_DATA**2)
        out = scaled / math.sqrt(scaled**2 + SIGMA_DATA**2)
        return Scaling(plain.in_, time, out * plain.skip + skip, out * plain.out)


def zero_terminal_snr(alphas_cumprod: Tensor) -> Tensor:
    """`alphas_cumprod` (T,) moved so that nothing of the picture is left at the last time.

    Lin et al. 2023, https://arxiv.org/abs/2305.08891, algorithm 1: the square roots are shifted to end at 0,
    and scaled to begin where they began. Levels that end so already stay.
    """
    if alphas_cumprod[-1] <= LAST_ALPHA:
        return alphas_cumprod
    roots = alphas_cumprod.sqrt()
    first, last = roots[0], roots[-1]
    moved = ((roots - last) * first / (first - last)) ** 2
    moved[-1] = LAST_ALPHA
    return moved
