"""UniPC (Zhao et al. 2023, https://arxiv.org/abs/2302.04867): predictor and corrector of the same form."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from modules.sampling.solvers.base import (
    PredictNoise,
    SolverParams,
    Step,
    StepNoise,
    UniPCParams,
    UniPCSkip,
    UniPCVariant,
)

__all__ = ["unipc"]


class _Continuous:
    """The discrete table as a noise schedule over times 1/N .. 1, ln alpha linear in between (N entries)."""

    def __init__(self, alphas_cumprod: Sequence[float]) -> None:
        self.count = len(alphas_cumprod)
        self.log_alphas = [0.5 * math.log(a) for a in alphas_cumprod]

    def log_alpha(self, t: float) -> float:
        """ln alpha at a time 1/N .. 1."""
        place = min(max(t * self.count - 1, 0.0), self.count - 1.0)
        low = min(int(place), self.count - 2)
        share = place - low
        return self.log_alphas[low] * (1 - share) + self.log_alphas[low + 1] * share

    def at(self, t: float) -> "_Point":
        """alpha, sigma and the half log SNR at a time."""
        log_alpha = self.log_alpha(t)
        sigma = math.sqrt(-math.expm1(2 * log_alpha))
        return _Point(t, math.exp(log_alpha), sigma, log_alpha - math.log(sigma))

    def time_of(self, lam: float) -> float:
        """The time whose half log SNR is `lam`."""
        log_alpha = -0.5 * math.log1p(math.exp(-2 * lam))
        rising = [-value for value in self.log_alphas]
        low = min(max(bisect_right(rising, -log_alpha) - 1, 0), self.count - 2)
        share = (-log_alpha - rising[low]) / (rising[low + 1] - rising[low])
        return (low + min(max(share, 0.0), 1.0) + 1) / self.count


@dataclass(frozen=True)
class _Point:
    t: float
    alpha: float
    sigma: float
    lam: float


def _spread(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * i / (count - 1) for i in range(count)]


def _points(schedule: _Continuous, start: float, steps: int, skip: UniPCSkip) -> list[_Point]:
    end = 1 / schedule.count
    if skip is UniPCSkip.TIME_QUADRATIC:
        times = [root**2 for root in _spread(math.sqrt(start), math.sqrt(end), steps + 1)]
    elif skip is UniPCSkip.LOG_SNR:
        lams = _spread(schedule.at(start).lam, schedule.at(end).lam, steps + 1)
        times = [start, *(schedule.time_of(lam) for lam in lams[1:-1]), end]
    else:
        times = _spread(start, end, steps + 1)
    return [schedule.at(t) for t in times]


@dataclass(frozen=True)
class _Coefficients:
    """R, b and B(h) of section 3 of the paper, for the ratios r_1 .. r_k = 1."""

    matrix: np.ndarray
    vector: np.ndarray
    scale: float

    def solved(self, count: int) -> list[float]:
        """The weights of the first `count` differences; a single one is 1/2, as the paper allows."""
        if count == 1:
            return [0.5]
        return np.linalg.solve(self.matrix[:count, :count], self.vector[:count]).tolist()


def _coefficients(ratios: Sequence[float], h: float, variant: UniPCVariant) -> _Coefficients:
    z = -h
    scale = math.expm1(z) if variant is UniPCVariant.BH2 else z
    phi, factorial, vector = math.expm1(z) / z - 1, 1.0, []
    for power in range(1, len(ratios) + 1):
        vector.append(phi * factorial / scale)
        factorial *= power + 1
        phi = phi / z - 1 / factorial
    matrix = np.array([[ratio**power for ratio in ratios] for power in range(len(ratios))])
    return _Coefficients(matrix, np.array(vector), scale)


def _order(step: int, steps: int, params: UniPCParams) -> int:
    """The order of step 1 .. steps: rising at first, and falling at the end if asked."""
    left = steps + 1 - step if params.lower_order_final else params.order
    return max(1, min(step, params.order, left))


def _mixed(base: Tensor, weights: Sequence[float], differences: Sequence[Tensor], factor: float) -> Tensor:
    for weight, difference in zip(weights, differences, strict=True):
        base = base - difference * (weight * factor)
    return base


def unipc(
    predict: PredictNoise, x: Tensor, times: Sequence[int], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """UniPC in its data prediction form with as many steps as there are `times`. One evaluation a step, no
    noise.

    The times themselves only say how many steps there are and, for a noised picture, where the walk begins.
    """
    schedule = _Continuous(predict.alphas_cumprod)
    start = (times[-1] + 1) / schedule.count if params.from_latent else 1.0
    points = _points(schedule, start, len(times), params.unipc.skip)

    def clean(x: Tensor, point: _Point) -> Tensor:
        eps = predict(x, (point.t - 1 / schedule.count) * schedule.count)
        return (x - eps * point.sigma) / point.alpha

    estimates = [clean(x, points[0])]
    for i in range(1, len(points)):
        here, there, order = points[i - 1], points[i], _order(i, len(times), params.unipc)
        h = there.lam - here.lam
        ratios = [(points[i - 1 - j].lam - here.lam) / h for j in range(1, order)]
        differences = [(estimates[j] - estimates[0]) / ratio for j, ratio in enumerate(ratios, start=1)]
        found = _coefficients([*ratios, 1.0], h, params.unipc.variant)
        factor = there.alpha * found.scale
        base = x * (there.sigma / here.sigma) - estimates[0] * (there.alpha * math.expm1(-h))
        x = _mixed(base, found.solved(order - 1) if order > 1 else [], differences, factor)
        denoised = estimates[0]
        if i < len(points) - 1:
            newest = clean(x, there)
            x = _mixed(base, found.solved(order), [*differences, newest - estimates[0]], factor)
            estimates = [newest, *estimates[: params.unipc.order - 1]]
        yield Step(x, denoised, here.sigma / here.alpha)
