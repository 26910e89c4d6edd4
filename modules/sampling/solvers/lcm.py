"""Multistep sampling of a latent consistency model (Luo et al. 2023, https://arxiv.org/abs/2310.04378)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["lcm"]


def lcm(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """Jump to the estimate, then noise it to the next level.

    `denoise` is the consistency function (noise_table.py).
    """
    for sigma, sigma_next in pairwise(sigmas):
        x = denoised = denoise(x, sigma)
        if sigma_next > 0:
            x = x + noise.next() * sigma_next
        yield Step(x, denoised, sigma)
