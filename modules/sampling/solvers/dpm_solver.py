"""DPM-Solver (Lu et al. 2022, https://arxiv.org/abs/2206.00927) over t = -ln sigma: a fixed budget, or an
adaptive step.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.sampling.solvers.ancestral import ancestral_step
from modules.sampling.solvers.base import Denoise, SolverParams, Step, StepNoise

__all__ = ["dpm_adaptive", "dpm_fast"]

RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 0.05, 0.0078
FIRST_STEP, SAFETY, CLOSE_TO_END = 0.05, 0.81, 1e-5


@dataclass(frozen=True)
class _Equation:
    """x and the noise that is in it, eps = (x - denoised) / sigma, at times t = -ln sigma."""

    denoise: Denoise

    def eps(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """The noise in x at t, and the estimate of the clean latent."""
        sigma = math.exp(-t)
        denoised = self.denoise(x, sigma)
        return (x - denoised) / sigma, denoised

    def first(self, x: Tensor, t: float, end: float, eps: Tensor) -> Tensor:
        """DPM-Solver-1 from t to end."""
        return x - eps * (math.exp(-end) * math.expm1(end - t))

    def second(self, x: Tensor, t: float, end: float, eps: Tensor, inner: Tensor, r: float) -> Tensor:
        """DPM-Solver-2; `inner` is eps at t + r (end - t)."""
        h = end - t
        return self.first(x, t, end, eps) - (inner - eps) * (math.exp(-end) / (2 * r) * math.expm1(h))

    def at_first_node(self, x: Tensor, t: float, end: float, eps: Tensor, r: float) -> Tensor:
        """eps at t + r (end - t), reached by DPM-Solver-1."""
        node = t + r * (end - t)
        return self.eps(self.first(x, t, node, eps), node)[0]

    def third(self, x: Tensor, t: float, end: float, eps: Tensor, inner: Tensor) -> Tensor:
        """DPM-Solver-3 with r1 = 1/3 and r2 = 2/3; `inner` is eps at the first node."""
        h, r1, r2 = end - t, 1 / 3, 2 / 3
        node = t + r2 * h
        rise = math.expm1(r2 * h)
        reached = x - (eps * rise + (inner - eps) * (r2 / r1 * (rise / (r2 * h) - 1))) * math.exp(-node)
        outer = self.eps(reached, node)[0]
        curve = math.exp(-end) / r2 * (math.expm1(h) / h - 1)
        return self.first(x, t, end, eps) - (outer - eps) * curve


def _ancestral_times(t: float, t_next: float, t_end: float, eta: float) -> tuple[float, float]:
    """(down, up): solve to the time `down`, then add noise of standard deviation `up`, and the time is
    t_next.
    """
    if not eta:
        return t_next, 0.0
    sigma_down, _ = ancestral_step(math.exp(-t), math.exp(-t_next), eta)
    down = min(t_end, -math.log(sigma_down)) if sigma_down > 0 else t_end
    return down, math.sqrt(max(math.exp(-2 * t_next) - math.exp(-2 * down), 0.0))


def _orders(evaluations: int) -> list[int]:
    """The orders of the steps that spend `evaluations` in all, third order as long as it can be."""
    steps = evaluations // 3 + 1
    if evaluations % 3 == 0:
        return [3] * (steps - 2) + [2, 1]
    return [3] * (steps - 1) + [evaluations % 3]


def dpm_fast(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DPM-Solver-Fast, appendix D.2 of the paper: `params.evaluations` between the two `sigmas`.

    Uses eta and s_noise.
    """
    t_start, t_end = -math.log(sigmas[0]), -math.log(sigmas[1])
    equation, orders = _Equation(denoise), _orders(params.evaluations)
    for i, order in enumerate(orders):
        t, t_next = (t_start + (t_end - t_start) * k / len(orders) for k in (i, i + 1))
        down, up = _ancestral_times(t, t_next, t_end, params.eta)
        eps, denoised = equation.eps(x, t)
        if order == 1:
            x = equation.first(x, t, down, eps)
        elif order == 2:
            x = equation.second(x, t, down, eps, equation.at_first_node(x, t, down, eps, 1 / 2), 1 / 2)
        else:
            x = equation.third(x, t, down, eps, equation.at_first_node(x, t, down, eps, 1 / 3))
        if params.eta:
            x = x + noise.next() * (params.s_noise * up)
        yield Step(x, denoised, math.exp(-t))


def _error(low: Tensor, high: Tensor, previous: Tensor) -> float:
    """How far the two orders are apart, in units of what is allowed: root mean square over the whole batch
    together.
    """
    allowed = torch.maximum(low.abs(), previous.abs()).mul(RELATIVE_TOLERANCE).clamp_min(ABSOLUTE_TOLERANCE)
    return float(((low - high) / allowed).square().mean().sqrt())


def _step_factor(error: float, exponent: float) -> float:
    """By how much the next step is longer; below 0.81 this one is taken back.

    Numbers that are lost are walked past.
    """
    if not math.isfinite(error):
        return 2.0
    return 1 + math.atan((1 / (error + 1e-8)) ** exponent - 1)


def dpm_adaptive(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: StepNoise, params: SolverParams
) -> Iterator[Step]:
    """DPM-Solver-12/23's adaptive step, appendix C.5 of the paper, with orders 2 and 3 between the two
    `sigmas`. Uses eta.

    The step size follows the error of all pictures in `x` together.
    """
    t, t_end = -math.log(sigmas[0]), -math.log(sigmas[1])
    equation, step, previous = _Equation(denoise), FIRST_STEP, x
    exponent = 1 / (1.5 if params.eta else 3)
    while t < t_end - CLOSE_TO_END:
        t_next = min(t_end, t + step)
        down, up = _ancestral_times(t, t_next, t_end, params.eta)
        eps, denoised = equation.eps(x, t)
        inner = equation.at_first_node(x, t, down, eps, 1 / 3)
        low = equation.second(x, t, down, eps, inner, 1 / 3)
        high = equation.third(x, t, down, eps, inner)
        factor = _step_factor(_error(low, high, previous), exponent)
        if factor >= SAFETY:
            sigma = math.exp(-t)
            previous, t = low, t_next
            x = high + noise.next() * up if params.eta else high
            yield Step(x, denoised, sigma)
        step *= factor
