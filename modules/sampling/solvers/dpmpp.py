"""DPM-Solver++ (Lu et al.

2022, https://arxiv.org/abs/2211.01095), in its multistep and its stochastic forms.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from modules.sampling.solvers.ancestral import ancestral_step
from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde", "dpmpp_sde"]


def dpmpp_2m(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DPM-Solver++(2M), algorithm 2 of the paper. One evaluation a step, no noise."""
    before: tuple[Tensor, float] | None = None
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        estimate = denoised
        if sigma_next > 0:
            width = math.log(sigma / sigma_next)
            if before:
                share = width / (2 * before[1])
                estimate = denoised * (1 + share) - before[0] * share
            before = denoised, width
        x = x * (sigma_next / sigma) + estimate * (1 - sigma_next / sigma)
        yield Step(x, denoised, sigma)


def _halved(sigma: float, sigma_next: float) -> tuple[float, float, float]:
    """The two levels and their geometric mean, as float32 finds them by way of t = -ln sigma.

    Brownian noise is asked for at these levels and feels their last bit, so the reference's rounding is kept.
    """
    start, end = torch.tensor([sigma, sigma_next]).log().neg()
    levels: list[float] = torch.stack([start, start + (end - start) * 0.5, end]).neg().exp().tolist()
    return levels[0], levels[1], levels[2]


def dpmpp_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """The stochastic form of DPM-Solver++(2S) with r = 1/2. Two evaluations a step.

    Uses eta, s_noise, Brownian noise.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            sigma, middle, sigma_next = _halved(sigma, sigma_next)
            down, up = ancestral_step(sigma, middle, params.eta)
            halfway = x * (down / sigma) + denoised * (1 - down / sigma)
            halfway = halfway + noise.between(sigma, middle) * (params.s_noise * up)
            estimate = denoise(halfway, middle)
            down, up = ancestral_step(sigma, sigma_next, params.eta)
            x = x * (down / sigma) + estimate * (1 - down / sigma)
            x = x + noise.between(sigma, sigma_next) * (params.s_noise * up)
        yield Step(x, denoised, sigma)


def _raised(x: Tensor, sigma: float, sigma_next: float, noise: StepNoise, params: SolverParams) -> Tensor:
    """x with the fresh noise of a step of the multistep SDE solvers."""
    if not params.eta:
        return x
    variance = -math.expm1(-2 * params.eta * math.log(sigma / sigma_next))
    return x + noise.between(sigma, sigma_next) * (sigma_next * math.sqrt(variance) * params.s_noise)


def _dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams, heun: bool
) -> Iterator[Step]:
    before: tuple[Tensor, float] | None = None
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            width = math.log(sigma / sigma_next)
            decay = width * (1 + params.eta)
            gain = -math.expm1(-decay)
            x = x * math.exp(-decay) + denoised * gain
            if before:
                correction = 1 - gain / decay if heun else 0.5 * gain
                x = x + (denoised - before[0]) * (correction * width / before[1])
            x = _raised(x, sigma, sigma_next, noise, params)
            before = denoised, width
        yield Step(x, denoised, sigma)


def dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """SDE-DPM-Solver++(2M) in its midpoint form. One evaluation a step. Uses eta, s_noise, Brownian noise."""
    return _dpmpp_2m_sde(denoise, x, sigmas, noise, params, heun=False)


def dpmpp_2m_sde_heun(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """SDE-DPM-Solver++(2M) in its Heun form. One evaluation a step. Uses eta, s_noise, Brownian noise."""
    return _dpmpp_2m_sde(denoise, x, sigmas, noise, params, heun=True)


def _third_order(now: Tensor, before: list[tuple[Tensor, float]], width: float, decay: float) -> Tensor:
    """What the one or two earlier estimates add to a step of DPM-Solver++(3M); `before` begins with the
    latest.
    """
    p2 = math.expm1(-decay) / decay + 1
    r0 = before[0][1] / width
    a = (now - before[0][0]) / r0
    if len(before) == 1:
        return a * p2
    r1 = before[1][1] / width
    b = (before[0][0] - before[1][0]) / r1
    curve = (a - b) / (r0 + r1)
    return (a + curve * r0) * p2 - curve * (p2 / decay - 0.5)


def dpmpp_3m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DPM-Solver++(3M) as an SDE solver. One evaluation a step. Uses eta, s_noise, Brownian noise."""
    before: list[tuple[Tensor, float]] = []
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            width = math.log(sigma / sigma_next)
            decay = width * (1 + params.eta)
            x = x * math.exp(-decay) - denoised * math.expm1(-decay)
            if before:
                x = x + _third_order(denoised, before, width, decay)
            x = _raised(x, sigma, sigma_next, noise, params)
            before = [(denoised, width), *before[:1]]
        yield Step(x, denoised, sigma)
