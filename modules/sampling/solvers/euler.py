"""The solvers of Karras et al. 2022, https://arxiv.org/abs/2206.00364: Euler, Heun, and DPM-Solver-2's
relative.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["dpm2", "euler", "heun", "heun_step"]


def _churned(
    x: Tensor, sigma: float, steps: int, noise: StepNoise, params: SolverParams
) -> tuple[Tensor, float]:
    """x and sigma after the stochastic rise of algorithm 2, lines 4 to 6.

    With churn a noise is drawn at every step, at those outside s_tmin .. s_tmax for nothing.
    """
    if not params.s_churn:
        return x, sigma
    draw = noise.next()
    gamma = min(params.s_churn / steps, math.sqrt(2) - 1)
    if gamma <= 0 or not params.s_tmin <= sigma <= params.s_tmax:
        return x, sigma
    raised = sigma * (1 + gamma)
    return x + draw * (params.s_noise * math.sqrt(raised**2 - sigma**2)), raised


def euler(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Algorithm 2 of Karras et al. 2022 without its second-order correction. Uses the churn parameters."""
    for sigma, sigma_next in pairwise(sigmas):
        x, raised = _churned(x, sigma, len(sigmas) - 1, noise, params)
        denoised = denoise(x, raised)
        x = x + (x - denoised) * ((sigma_next - raised) / raised)
        yield Step(x, denoised, sigma)


def heun_step(denoise: Denoise, x: Tensor, sigma: float, sigma_next: float) -> tuple[Tensor, Tensor]:
    """x after one trapezoidal step (an Euler step where it goes to 0), and the first estimate."""
    denoised = denoise(x, sigma)
    slope = (x - denoised) / sigma
    ahead = x + slope * (sigma_next - sigma)
    if sigma_next == 0:
        return ahead, denoised
    slope_ahead = (ahead - denoise(ahead, sigma_next)) / sigma_next
    return x + (slope + slope_ahead) * ((sigma_next - sigma) / 2), denoised


def heun(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Algorithm 2 of Karras et al. 2022. Two evaluations a step, one in the last.

    Uses the churn parameters.
    """
    for sigma, sigma_next in pairwise(sigmas):
        x, raised = _churned(x, sigma, len(sigmas) - 1, noise, params)
        x, denoised = heun_step(denoise, x, raised, sigma_next)
        yield Step(x, denoised, sigma)


def dpm2(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DPM-Solver-2 (Lu et al. 2022) with algorithm 2's churn: the slope is taken at the geometric mean of the
    two levels.
    """
    for sigma, sigma_next in pairwise(sigmas):
        x, raised = _churned(x, sigma, len(sigmas) - 1, noise, params)
        denoised = denoise(x, raised)
        slope, width = (x - denoised) / raised, sigma_next - raised
        if sigma_next > 0:
            middle = math.sqrt(raised * sigma_next)
            halfway = x + slope * (middle - raised)
            slope = (halfway - denoise(halfway, middle)) / middle
        x = x + slope * width
        yield Step(x, denoised, sigma)
