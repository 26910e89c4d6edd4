"""Ancestral samplers: each step goes a little too far down and is raised again by fresh noise."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["ancestral_step", "dpm2_ancestral", "dpmpp_2s_ancestral", "euler_ancestral"]


def ancestral_step(sigma: float, sigma_next: float, eta: float) -> tuple[float, float]:
    """(down, up): solve to `down`, then add noise of standard deviation `up`, and the level is `sigma_next`.

    `eta` 1 gives the variance of the ancestral sampling of Song et al. 2020,
    https://arxiv.org/abs/2011.13456; 0 none.
    """
    if not eta:
        return sigma_next, 0.0
    variance = sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2
    up = min(sigma_next, eta * math.sqrt(max(variance, 0.0)))
    return math.sqrt(max(sigma_next**2 - up**2, 0.0)), up


def euler_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Ancestral sampling with Euler steps. Uses eta, but not s_noise."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, up = ancestral_step(sigma, sigma_next, params.eta)
        x = x + (x - denoised) * ((down - sigma) / sigma)
        if sigma_next > 0:
            x = x + noise.next() * up
        yield Step(x, denoised, sigma)


def dpm2_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Ancestral sampling with DPM-Solver-2 steps (Lu et al. 2022). Uses eta and s_noise."""
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, up = ancestral_step(sigma, sigma_next, params.eta)
        slope = (x - denoised) / sigma
        if down == 0:
            x = x + slope * (down - sigma)
        else:
            middle = math.sqrt(sigma * down)
            halfway = x + slope * (middle - sigma)
            slope = (halfway - denoise(halfway, middle)) / middle
            x = x + slope * (down - sigma) + noise.next() * (params.s_noise * up)
        yield Step(x, denoised, sigma)


def dpmpp_2s_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Ancestral sampling with second-order single steps of DPM-Solver++, https://arxiv.org/abs/2211.01095.

    Uses eta and s_noise.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = denoise(x, sigma)
        down, up = ancestral_step(sigma, sigma_next, params.eta)
        estimate = denoised
        if down > 0:
            middle = math.sqrt(sigma * down)
            halfway = x * (middle / sigma) + denoised * (1 - middle / sigma)
            estimate = denoise(halfway, middle)
        x = x * (down / sigma) + estimate * (1 - down / sigma)
        if sigma_next > 0:
            x = x + noise.next() * (params.s_noise * up)
        yield Step(x, denoised, sigma)
