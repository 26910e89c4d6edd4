"""Solvers of the variance preserving form, over whole times: DDIM, DDIM CFG++ and PLMS."""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from modules.sampling.solvers.base import PredictNoise, SolverParams, Step, StepNoise

__all__ = ["ddim", "ddim_cfg_pp", "plms"]

ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


def _steps(times: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs (time, time before), the largest first. The walk ends at times[0], sic: the reference never steps
    to 0.
    """
    return [(times[i], times[i - 1]) for i in range(len(times) - 1, 0, -1)]


def _ddim_step(
    x: Tensor, eps: Tensor, direction: Tensor, a: float, a_before: float, deviation: float = 0.0
) -> tuple[Tensor, Tensor]:
    """x at the time before, and the estimate of the clean latent: equation 12 of the DDIM paper without its
    noise.
    """
    denoised = (x - eps * math.sqrt(1 - a)) / math.sqrt(a)
    along = math.sqrt(max(1 - a_before - deviation**2, 0.0))
    return denoised * math.sqrt(a_before) + direction * along, denoised


def _level(a: float) -> float:
    return math.sqrt((1 - a) / a)


def _ddim(
    predict: PredictNoise,
    x: Tensor,
    times: Sequence[int],
    noise: StepNoise,
    params: SolverParams,
    cfg_pp: bool,
) -> Iterator[Step]:
    for time, before in _steps(times):
        a, a_before = predict.alphas_cumprod[time], predict.alphas_cumprod[before]
        deviation = params.eta * math.sqrt((1 - a_before) / (1 - a) * (1 - a / a_before))
        if cfg_pp:
            eps, direction = predict.with_unconditional(x, time)
        else:
            eps = direction = predict(x, time)
        x, denoised = _ddim_step(x, eps, direction, a, a_before, deviation)
        if params.eta:
            x = x + noise.next() * deviation
        yield Step(x, denoised, _level(a))


def ddim(
    predict: PredictNoise, x: Tensor, times: Sequence[int], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Denoising diffusion implicit models, Song et al. 2020, https://arxiv.org/abs/2010.02502.

    Uses eta (its DDIM default, 0).
    """
    return _ddim(predict, x, times, noise, params, cfg_pp=False)


def ddim_cfg_pp(
    predict: PredictNoise, x: Tensor, times: Sequence[int], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DDIM renoised along the unconditional prediction: CFG++, Chung et al.

    2024, https://arxiv.org/abs/2406.08070. Uses eta.
    """
    return _ddim(predict, x, times, noise, params, cfg_pp=True)


def plms(
    predict: PredictNoise, x: Tensor, times: Sequence[int], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Pseudo linear multistep, Liu et al. 2022, https://arxiv.org/abs/2202.09778; two evaluations in the
    first step. No noise.
    """
    earlier: list[Tensor] = []
    for time, before in _steps(times):
        a, a_before = predict.alphas_cumprod[time], predict.alphas_cumprod[before]
        eps = predict(x, time)
        if earlier:
            weights = ADAMS_BASHFORTH[len(earlier)]
            mixed = sum((e * w for e, w in zip(earlier, weights[1:], strict=True)), eps * weights[0])
        else:
            ahead, _ = _ddim_step(x, eps, eps, a, a_before)
            mixed = (eps + predict(ahead, before)) / 2
        x, denoised = _ddim_step(x, mixed, mixed, a, a_before)
        earlier = [eps, *earlier[:2]]
        yield Step(x, denoised, _level(a))
