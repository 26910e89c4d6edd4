"""A pass of sampling from start to latent: `sample` from noise, `resample` from a latent (BEHAVIOUR sections
6, 8 and 9).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from modules.sampling.brownian import BrownianNoise
from modules.sampling.denoiser import GuidedDenoiser, GuidedNoise, LatentMask
from modules.sampling.guidance import Guidance, GuidanceOptions, Network
from modules.sampling.hold import Held, Hold
from modules.sampling.noise import PictureNoise
from modules.sampling.noise_table import LcmTable, NoiseLevels, NoiseTable
from modules.sampling.prompts import Prompts
from modules.sampling.relay import Handover, RelayedDenoiser, RelayedNoise
from modules.sampling.sampler_settings import SamplerSettings
from modules.sampling.samplers import Kind, Sampler, solver_params
from modules.sampling.schedules import AUTOMATIC, SCHEDULES, Schedule, make_sigmas
from modules.sampling.solvers import Denoise, PredictNoise, SigmaSolver, Step, TimeSolver

__all__ = ["OnStep", "SamplingPlan", "Start", "resample", "sample", "steps_of_strength"]

TIMES = 1000
LARGEST_STRENGTH = 0.999

OnStep = Callable[[int, Step], None]
"""Called after step 0, 1 ..; what it raises ends the pass and is not caught here."""


@dataclass(frozen=True)
class SamplingPlan:
    """How a pass is made. `schedule` may be AUTOMATIC. `steps` is at least 1; `cfg_scale` any number."""

    sampler: Sampler
    schedule: Schedule
    steps: int
    cfg_scale: float
    settings: SamplerSettings
    table: NoiseTable

    @property
    def levels(self) -> NoiseLevels:
        """The levels that schedules are made on."""
        return LcmTable(self.table) if self.sampler.consistency else self.table

    def _discards(self) -> bool:
        return self.sampler.discards_penultimate or self.settings.always_discard_penultimate

    def sigmas(self, steps: int | None = None) -> list[float]:
        """The noise levels for `steps` (the plan's own if None), falling."""
        explicit = self.schedule is not AUTOMATIC
        schedule = self.schedule if explicit else SCHEDULES[self.sampler.favourite]
        shape = self.settings.shape(explicit)
        return make_sigmas(schedule, steps or self.steps, self.levels, shape, self._discards())

    def times(self, steps: int | None = None) -> list[int]:
        """The times of DDIM, PLMS and UniPC, rising; more than asked where 1000 cannot be divided by their
        number.
        """
        stride = max(TIMES // ((steps or self.steps) + self._discards()), 1)
        return [min(time + 1, TIMES - 1) for time in range(0, TIMES, stride)]


@dataclass(frozen=True)
class Start:
    """Where `resample` begins: `latent` (B, C, h, w), clean, and `strength` 0 .. 1, how much of it is drawn
    anew.

    `exact`: as many steps as asked are made, not only the strength's share of them. `noise_multiplier` scales
    the initial noise, `extra_noise` adds more of it than the first level asks for. `mask` for inpainting;
    `hold`: what of the latent may change less than the rest.
    """

    latent: Tensor
    strength: float
    exact: bool = False
    mask: LatentMask | None = None
    noise_multiplier: float = 1.0
    extra_noise: float = 0.0
    hold: Hold | None = None


@dataclass(frozen=True)
class _Draws:
    """StepNoise of a pass."""

    pictures: PictureNoise
    paths: BrownianNoise | None

    def next(self) -> Tensor:
        return self.pictures.next()

    def between(self, sigma: float, sigma_next: float) -> Tensor:
        assert self.paths is not None, "a sampler that asks for Brownian noise says so in the samplers' table"
        return self.paths.between(sigma, sigma_next)


def steps_of_strength(steps: int, strength: float, exact: bool) -> tuple[int, int]:
    """(steps of the whole schedule, steps made besides the last): BEHAVIOUR section 9.

    The schedule is 0 where nothing is to do.
    """
    share = min(strength, LARGEST_STRENGTH)
    if not exact:
        return steps, int(share * steps)
    return (int(steps / share) if strength > 0 else 0), steps - 1


def _guidance(network: Network, plan: SamplingPlan, prompts: Prompts, evaluation: int = 0) -> Guidance:
    settings = plan.settings
    options = GuidanceOptions(
        scale=plan.cfg_scale / plan.sampler.guidance_unit,
        pad_with=prompts.empty if settings.pad_cond_uncond else None,
        fits_negative=settings.pad_cond_uncond_v0,
        batched=settings.batch_cond_uncond,
        s_min_uncond=settings.s_min_uncond,
        picture_scale=prompts.picture_scale,
    )
    return Guidance(network, prompts.positive, prompts.negative, options, prompts.extra_input, evaluation)


@dataclass(frozen=True)
class _Pass:
    """What the walks of one pass have in common."""

    plan: SamplingPlan
    guidance: Guidance
    noise: PictureNoise
    mask: LatentMask | None = None
    from_latent: bool = False
    hold: Hold | None = None
    handover: Handover | None = None

    def _taken_over(self, handover: Handover, evaluation: int) -> Guidance:
        handover.on_taken()
        return _guidance(handover.network, self.plan, handover.prompts, evaluation)

    def _predict(self, held: Held | None, steps: int) -> PredictNoise:
        first, handover = GuidedNoise(self.guidance, self.plan.table, self.mask, held), self.handover
        if handover is None:
            return first
        turn = handover.turn(self.plan.sampler.evaluations(steps))
        return RelayedNoise(
            first,
            turn,
            lambda n: replace(first, guidance=self._taken_over(handover, n), table=handover.table),
        )

    def _denoise(self, held: Held | None, steps: int) -> Denoise:
        plan, handover = self.plan, self.handover
        first = GuidedDenoiser(self.guidance, plan.levels, self.mask, held)
        if handover is None:
            return first
        levels = replace(plan, table=handover.table).levels
        return RelayedDenoiser(
            first,
            handover.turn(plan.sampler.evaluations(steps)),
            lambda n: replace(first, guidance=self._taken_over(handover, n), levels=levels),
            plan.table,
        )

    def along_times(self, x: Tensor, times: Sequence[int], steps: int) -> Iterator[Step]:
        """`steps`: those asked for, of which a handover takes its share; there may be more times, or less."""
        params = solver_params(self.plan.sampler, self.plan.settings, len(times), self.from_latent)
        held = self.hold.over(times[-1]) if self.hold else None
        predict = self._predict(held, steps)
        return cast(TimeSolver, self.plan.sampler.solver)(predict, x, times, _Draws(self.noise, None), params)

    def along_sigmas(
        self, x: Tensor, sigmas: Sequence[float], whole: Sequence[float], evaluations: int
    ) -> Iterator[Step]:
        """`whole` is the uncut schedule, which the Brownian paths are laid over."""
        sampler = self.plan.sampler
        params = solver_params(sampler, self.plan.settings, evaluations, self.from_latent)
        draws = _Draws(self.noise, self.noise.over(whole) if sampler.brownian else None)
        held = self.hold.over(self.plan.levels.sigma_to_time(sigmas[0])) if self.hold else None
        denoise = self._denoise(held, evaluations)
        return cast(SigmaSolver, sampler.solver)(denoise, x, sigmas, draws, params)


def _walked(x: Tensor, steps: Iterator[Step], on_step: OnStep | None) -> Tensor:
    """x after the last step."""
    for index, step in enumerate(steps):
        x = step.x
        if on_step:
            on_step(index, step)
    return x


@torch.no_grad()
def sample(
    network: Network,
    plan: SamplingPlan,
    noise: PictureNoise,
    prompts: Prompts,
    on_step: OnStep | None = None,
    handover: Handover | None = None,
) -> Tensor:
    """A latent (B, C, h, w) from noise alone: text to image. B is the number of `noise`'s seeds."""
    run = _Pass(plan, _guidance(network, plan, prompts), noise, handover=handover)
    x = noise.first()
    if plan.sampler.kind is Kind.TIMES:
        return _walked(x, run.along_times(x, plan.times(), plan.steps), on_step)
    sigmas = plan.sigmas()
    x = x * (math.sqrt(1 + sigmas[0] ** 2) if plan.settings.sgm_noise_multiplier else sigmas[0])
    levels = plan.levels.sigmas
    ladder = (levels[-1], levels[0]) if plan.sampler.kind is Kind.SPAN else sigmas
    return _walked(x, run.along_sigmas(x, ladder, sigmas, plan.steps), on_step)


@torch.no_grad()
def resample(
    network: Network,
    plan: SamplingPlan,
    noise: PictureNoise,
    prompts: Prompts,
    start: Start,
    on_step: OnStep | None = None,
    handover: Handover | None = None,
) -> Tensor:
    """A latent (B, C, h, w) from another one: image to image, and the second pass of hires fix (there
    `exact`).
    """
    guidance = _guidance(network, plan, prompts)
    run = _Pass(plan, guidance, noise, start.mask, from_latent=True, hold=start.hold, handover=handover)
    steps, kept = steps_of_strength(plan.steps, start.strength, start.exact)
    latent = start.latent
    if steps:
        drawn = noise.first() * start.noise_multiplier
        walk = _resample_times if plan.sampler.kind is Kind.TIMES else _resample_sigmas
        latent = _walked(*walk(run, start, drawn, steps, kept), on_step)
    return start.mask.blend(latent) if start.mask else latent


def _resample_times(
    run: _Pass, start: Start, drawn: Tensor, steps: int, kept: int
) -> tuple[Tensor, Iterator[Step]]:
    times = run.plan.times(steps)
    a = run.plan.table.alphas_cumprod[times[kept]]
    x = start.latent * math.sqrt(a) + drawn * (math.sqrt(1 - a) + start.extra_noise * math.sqrt(a))
    return x, run.along_times(x, times[:kept], kept + 1) if kept else iter(())


def _resample_sigmas(
    run: _Pass, start: Start, drawn: Tensor, steps: int, kept: int
) -> tuple[Tensor, Iterator[Step]]:
    whole = run.plan.sigmas(steps)
    cut = whole[steps - kept - 1 :]
    x = start.latent + drawn * (cut[0] + start.extra_noise)
    ladder = (cut[0], cut[-2]) if run.plan.sampler.kind is Kind.SPAN else cut
    return x, run.along_sigmas(x, ladder, whole, len(cut) - 1)
