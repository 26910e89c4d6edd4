"""The schedules: which noise levels the steps of a sampler stop at (BEHAVIOUR section 5)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from modules.sampling.noise_table import NoiseLevels
from modules.sampling.solvers.karras import karras_levels

__all__ = ["AUTOMATIC", "SCHEDULES", "Schedule", "Shape", "make_sigmas"]

KARRAS_RHO, POLYEXPONENTIAL_RHO = 7.0, 1.0
OLD_KARRAS_ENDS = (0.1, 10.0)
BETA_EXPONENT = 0.6
ALIGN_YOUR_STEPS_SD1 = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
ALIGN_YOUR_STEPS_SDXL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)


@dataclass(frozen=True)
class Shape:
    """Settings that bend a schedule. None: the model's own ends, the schedule's own rho."""

    sigma_min: float | None = None
    sigma_max: float | None = None
    rho: float | None = None
    old_karras_ends: bool = False
    beta_alpha: float = BETA_EXPONENT
    beta_beta: float = BETA_EXPONENT


def _ends(levels: NoiseLevels, shape: Shape) -> tuple[float, float]:
    """The smallest and the largest level."""
    return shape.sigma_min or levels.sigmas[0], shape.sigma_max or levels.sigmas[-1]


def _at_even_times(n: int, levels: NoiseLevels, sigma_min: float, sigma_max: float) -> Tensor:
    start, end = levels.sigma_to_time(sigma_max), levels.sigma_to_time(sigma_min)
    return levels.times_to_sigmas(torch.linspace(start, end, n))


def _then_zero(levels: Tensor) -> Tensor:
    return torch.cat([levels, levels.new_zeros(1)])


def uniform(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Evenly spaced times over the whole table."""
    return _then_zero(_at_even_times(n, levels, levels.sigmas[0], levels.sigmas[-1]))


def karras(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 5."""
    smallest, largest = OLD_KARRAS_ENDS if shape.old_karras_ends else (levels.sigmas[0], levels.sigmas[-1])
    smallest, largest = shape.sigma_min or smallest, shape.sigma_max or largest
    return _then_zero(karras_levels(n, smallest, largest, shape.rho or KARRAS_RHO))


def exponential(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Evenly spaced in log sigma."""
    smallest, largest = _ends(levels, shape)
    return _then_zero(torch.linspace(math.log(largest), math.log(smallest), n).exp())


def polyexponential(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """A power of an even ramp, laid over log sigma."""
    smallest, largest = _ends(levels, shape)
    ramp = torch.linspace(1, 0, n) ** (shape.rho or POLYEXPONENTIAL_RHO)
    return _then_zero((ramp * (math.log(largest) - math.log(smallest)) + math.log(smallest)).exp())


def sgm_uniform(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Evenly spaced times that stop a step short of the table's end, as Stability's generative-models do."""
    return _then_zero(_at_even_times(n + 1, levels, *_ends(levels, shape))[:-1])


def normal(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Evenly spaced times between the ends."""
    return _then_zero(_at_even_times(n, levels, *_ends(levels, shape)))


def kl_optimal(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Align Your Steps (Sabour et al. 2024), theorem 3.1; it ends at the smallest level, with no 0 added."""
    smallest, largest = (math.atan(end) for end in _ends(levels, shape))
    share = torch.arange(n + 1) / n
    return (share * smallest + (1 - share) * largest).tan()


def align_your_steps(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Sabour et al. 2024, https://arxiv.org/abs/2404.14507: published levels, interpolated in log sigma for
    other n.
    """
    published = ALIGN_YOUR_STEPS_SDXL if levels.is_sdxl else ALIGN_YOUR_STEPS_SD1
    if n == len(published):
        return _then_zero(torch.tensor(published))
    places = np.linspace(0, 1, len(published))
    logs = np.interp(np.linspace(0, 1, n), places, np.log(published[::-1]))
    return _then_zero(torch.tensor(np.exp(logs)[::-1].copy(), dtype=torch.float32))


def simple(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Entries of the table at even strides from its top."""
    count = len(levels.sigmas)
    return _then_zero(torch.tensor([levels.sigmas[count - 1 - int(i * count / n)] for i in range(n)]))


def ddim(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Entries of the table at a whole stride from its bottom, as DDIM's times; there may be more than n."""
    return _then_zero(torch.tensor(levels.sigmas[1 :: max(len(levels.sigmas) // n, 1)]).flip(0))


def beta(n: int, levels: NoiseLevels, shape: Shape) -> Tensor:
    """Quantiles of a beta distribution: Lee et al. 2024, https://arxiv.org/abs/2407.12173."""
    smallest, largest = _ends(levels, shape)
    quantiles = betaincinv(shape.beta_alpha, shape.beta_beta, 1 - np.linspace(0, 1, n))
    return _then_zero(torch.tensor(smallest + quantiles * (largest - smallest), dtype=torch.float32))


@dataclass(frozen=True)
class Schedule:
    """A row of the schedules' table. `name` is what people read, `key` what the API calls it; `default_rho`
    -1 means none.
    """

    name: str
    key: str
    levels: Callable[[int, NoiseLevels, Shape], Tensor] | None
    aliases: tuple[str, ...] = ()
    default_rho: float = -1.0
    uses_ends: bool = True


AUTOMATIC = Schedule("Automatic", "automatic", None)
"""Stands for the sampler's favourite schedule."""

SCHEDULES: dict[str, Schedule] = {
    schedule.key: schedule
    for schedule in (
        AUTOMATIC,
        Schedule("Uniform", "uniform", uniform, uses_ends=False),
        Schedule("Karras", "karras", karras, default_rho=KARRAS_RHO),
        Schedule("Exponential", "exponential", exponential),
        Schedule("Polyexponential", "polyexponential", polyexponential, default_rho=POLYEXPONENTIAL_RHO),
        Schedule("SGM Uniform", "sgm_uniform", sgm_uniform, aliases=("SGMUniform",)),
        Schedule("KL Optimal", "kl_optimal", kl_optimal),
        Schedule("Align Your Steps", "align_your_steps", align_your_steps, uses_ends=False),
        Schedule("Simple", "simple", simple, uses_ends=False),
        Schedule("Normal", "normal", normal),
        Schedule("DDIM", "ddim", ddim, uses_ends=False),
        Schedule("Beta", "beta", beta),
    )
}


def make_sigmas(
    schedule: Schedule, n: int, levels: NoiseLevels, shape: Shape, discard_penultimate: bool = False
) -> list[float]:
    """The falling levels of `n` (at least 1) steps, n + 1 of them as a rule, each a float32's value.

    With `discard_penultimate` a step more is made and the last level above the end left out. AUTOMATIC must
    be resolved before.
    """
    if schedule.levels is None:
        raise ValueError("The schedule Automatic has no levels of its own; resolve it for a sampler first.")
    sigmas: list[float] = schedule.levels(n + discard_penultimate, levels, shape).tolist()
    return [*sigmas[:-2], sigmas[-1]] if discard_penultimate else sigmas
