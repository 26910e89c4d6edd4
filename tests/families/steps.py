"""Our steps and those of a pipeline of diffusers, from the same noise."""

from dataclasses import replace

import torch
from torch import Tensor

from modules.checkpoints import Model
from modules.conditioning import ConditioningOptions, PromptEncoder
from modules.generation.network import network_of
from modules.generation.passes import levels_of
from modules.sampling import (
    PictureNoise,
    Prompts,
    SamplerSettings,
    SamplingPlan,
    SeedPlan,
    Start,
    resample,
    resolve_sampler,
    sample,
)

STEPS, SCALE, SIDE, SEED = 4, 5.0, 64, 3
PROMPT, NEGATIVE = "a red house by the sea", "a dark city"


def first_noise() -> Tensor:
    """(1, 4, h, w) as both programs draw it from the seed."""
    generator = torch.Generator().manual_seed(SEED)
    return torch.randn((1, 4, SIDE // 8, SIDE // 8), generator=generator)


def our_steps(
    model: Model, extra: Tensor | None = None, *, picture_scale: float = 1.0, latent: Tensor | None = None
) -> list[Tensor]:
    """The latent after each step of Euler; from `latent` with all of its noise where one is given."""
    sampler, schedule = resolve_sampler("Euler", "Uniform")
    table = levels_of(model)
    plan = SamplingPlan(sampler, schedule, STEPS, SCALE, SamplerSettings(), table)
    encoder = PromptEncoder(model, ConditioningOptions())
    prompts = Prompts(
        encoder.positive([PROMPT], STEPS, size=(SIDE, SIDE)),
        encoder.negative([NEGATIVE], STEPS, size=(SIDE, SIDE)),
        extra_input=extra,
    )
    prompts = replace(prompts, picture_scale=picture_scale)
    noise = PictureNoise(SeedPlan((SEED,), (SEED,)), (4, SIDE // 8, SIDE // 8), "cpu")
    steps: list[Tensor] = []

    def keep(_: int, step) -> None:
        steps.append(step.x.clone())

    with torch.inference_mode():
        if latent is None:
            sample(network_of(model), plan, noise, prompts, keep)
        else:
            resample(network_of(model), plan, noise, prompts, Start(latent, 1.0), keep)
    return steps


def their_steps(pipeline, **arguments) -> list[Tensor]:
    """The same of a pipeline."""
    steps: list[Tensor] = []

    def keep(_pipeline, _index, _time, tensors):
        steps.append(tensors["latents"].clone())
        return tensors

    pipeline.set_progress_bar_config(disable=True)
    pipeline(
        prompt=PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=SCALE,
        callback_on_step_end=keep, output_type="latent", **arguments,
    )  # fmt: skip
    return steps


def assert_same_steps(ours: list[Tensor], theirs: list[Tensor], tolerance: float = 1e-3) -> None:
    """Each step, compared with the size of the numbers in it."""
    assert len(ours) == len(theirs) == STEPS
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        difference = (one - other).abs().max() / other.abs().max()
        assert difference < tolerance, f"step {number}: {difference}"
