"""The linear multistep method: Adams-Bashforth on an uneven grid of noise levels."""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["lms"]

ORDER = 4
GAUSS_POINT = 1 / math.sqrt(3)


def _weight(nodes: Sequence[float], which: int, start: float, end: float) -> float:
    """The integral over start .. end of the Lagrange polynomial that is 1 at nodes[which] and 0 at the
    others.

    Two Gauss-Legendre points integrate a polynomial of degree 3, which four nodes give, exactly.
    """
    centre, half = (start + end) / 2, (end - start) / 2
    total = 0.0
    for point in (centre - half * GAUSS_POINT, centre + half * GAUSS_POINT):
        total += math.prod(
            (point - node) / (nodes[which] - node) for k, node in enumerate(nodes) if k != which
        )
    return total * half


def lms(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Linear multistep of order 4 (Liu et al. 2022, https://arxiv.org/abs/2202.09778, over sigma).

    One evaluation a step, no noise.
    """
    slopes: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        denoised = denoise(x, sigmas[i])
        slopes = [(x - denoised) / sigmas[i], *slopes[: ORDER - 1]]
        nodes = [sigmas[i - k] for k in range(len(slopes))]
        for k, slope in enumerate(slopes):
            x = x + slope * _weight(nodes, k, sigmas[i], sigmas[i + 1])
        yield Step(x, denoised, sigmas[i])
