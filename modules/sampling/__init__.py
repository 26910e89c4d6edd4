"""Sampling: noise sources, schedules, samplers and guidance as functions over tensors, with no model class in
sight.

    sampler, schedule = resolve_sampler("DPM++ 2M", "Karras")
    table = NoiseTable(alphas_cumprod, Prediction.EPSILON)
    plan = SamplingPlan(sampler, schedule, steps=20, cfg_scale=7.0, settings=SamplerSettings(), table=table)
    noise = PictureNoise(SeedPlan(seeds=(1234,)), shape=(4, 64, 64), device="cpu")
    latent = sample(network, plan, noise, Prompts(positive, negative), on_step)

`network(x (N, C, h, w), time (N,), context (N, T, D), vector (N, V) or None)` gives the raw prediction in
float32; `positive` holds a tuple of guided parts a picture, `negative` a schedule a picture
(`ConditioningLike` and its neighbours say what is read of them). A second pass is `resample(network, plan,
new_noise, prompts, Start(latent, strength, exact=True), on_step)` with a new PictureNoise of the new shape.
`on_step(index, step)` sees each `Step(x, denoised, sigma)`; to stop a pass it raises.
"""

from modules.sampling.brownian import BrownianNoise
from modules.sampling.denoiser import LatentMask
from modules.sampling.generators import NoiseSource
from modules.sampling.guidance import (
    ConditioningLike,
    GuidanceOptions,
    GuidedPartLike,
    Network,
    Parts,
    ScheduledLike,
    Timeline,
    at_evaluation,
)
from modules.sampling.hold import Direction, Hold
from modules.sampling.infotext import sampler_infotext, writes_ensd
from modules.sampling.noise import PictureNoise, SeedPlan
from modules.sampling.noise_table import LcmTable, NoiseTable, Prediction, zero_terminal_snr
from modules.sampling.passes import OnStep, SamplingPlan, Start, resample, sample, steps_of_strength
from modules.sampling.prompts import Prompts
from modules.sampling.relay import Handover
from modules.sampling.sampler_settings import SamplerSettings
from modules.sampling.samplers import SAMPLERS, Sampler, resolve_sampler
from modules.sampling.schedules import AUTOMATIC, SCHEDULES, Schedule
from modules.sampling.solvers import Step

__all__ = [
    "AUTOMATIC",
    "SAMPLERS",
    "SCHEDULES",
    "BrownianNoise",
    "ConditioningLike",
    "Direction",
    "GuidanceOptions",
    "GuidedPartLike",
    "Handover",
    "Hold",
    "LatentMask",
    "LcmTable",
    "Network",
    "NoiseSource",
    "NoiseTable",
    "OnStep",
    "Parts",
    "PictureNoise",
    "Prediction",
    "Prompts",
    "Sampler",
    "SamplerSettings",
    "SamplingPlan",
    "Schedule",
    "ScheduledLike",
    "SeedPlan",
    "Start",
    "Step",
    "Timeline",
    "at_evaluation",
    "resample",
    "resolve_sampler",
    "sample",
    "sampler_infotext",
    "steps_of_strength",
    "writes_ensd",
    "zero_terminal_snr",
]
