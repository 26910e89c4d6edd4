"""Restart sampling (Xu et al. 2023, https://arxiv.org/abs/2306.14878): down, up again by fresh noise, down
once more.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise
from modules.sampling.solvers.euler import heun_step
from modules.sampling.solvers.karras import karras_levels

__all__ = ["restart", "restart_levels"]

BOTTOM, TOP = 0.1, 2.0


def _nearest(sigmas: Sequence[float], level: float) -> int:
    return min(range(len(sigmas)), key=lambda i: abs(sigmas[i] - level))


def restart_levels(sigmas: Sequence[float]) -> list[tuple[float, float]]:
    """The steps (from, to) for a schedule of n = len(sigmas) - 1 steps that ends in 0.

    From 20 steps on, part of them is spent on going from 0.1 back to 2 and down again, once, or twice from 36
    on.
    """
    steps = len(sigmas) - 1
    if steps < 20:
        return list(pairwise(sigmas))
    points, times = (steps // 4 + 1, 2) if steps >= 36 else (10, 1)
    main = [*karras_levels(steps - (points - 1) * times, sigmas[-2], sigmas[0]).tolist(), 0.0]
    bottom, top = _nearest(main, BOTTOM), _nearest(main, TOP)
    walk = list(pairwise(main))
    if top >= bottom:
        return walk
    between = karras_levels(points, main[bottom], main[top]).tolist()[1:-1]
    again = list(pairwise([main[top], *between, main[bottom]]))
    return walk[:bottom] + again * times + walk[bottom:]


def restart(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Heun steps along `restart_levels`; a jump up adds noise of the missing variance (algorithm 1 of the
    paper).
    """
    steps = restart_levels(sigmas)
    level = steps[0][0]
    for sigma, sigma_next in steps:
        if sigma > level:
            x = x + noise.next() * math.sqrt(sigma**2 - level**2)
        x, denoised = heun_step(denoise, x, sigma, sigma_next)
        level = sigma_next
        yield Step(x, denoised, sigma)
