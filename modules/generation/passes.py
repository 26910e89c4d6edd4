"""The two passes of a batch: from noise to latents, and from these to the larger ones of hires fix."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from modules.checkpoints import Family, Model
from modules.conditioning import PromptEncoder
from modules.generation.artist import Artist
from modules.generation.network import extra_input_for_text, network_of
from modules.generation.progress import Progress
from modules.generation.run import HiresRun, Run
from modules.generation.second_pass import enlarge
from modules.generation.watcher import Watcher
from modules.sampling import (
    Handover,
    NoiseSource,
    NoiseTable,
    PictureNoise,
    Prompts,
    SamplingPlan,
    SeedPlan,
    Start,
    resample,
    sample,
    zero_terminal_snr,
)

__all__ = [
    "draw_again",
    "draw_first",
    "first_plan",
    "first_prompts",
    "handover_to",
    "levels_of",
    "picture_noise",
    "second_prompts",
]


def picture_noise(
    run: Run, pictures: range, shape: tuple[int, int, int], device: torch.device
) -> PictureNoise:
    """The noise of `pictures`, each from its own seeds."""
    request, seeds = run.request, run.seeds
    resized = request.seed_resize_from_w > 0 and request.seed_resize_from_h > 0
    plan = SeedPlan(
        seeds=tuple(seeds.seeds[picture] for picture in pictures),
        subseeds=tuple(seeds.subseeds[picture] for picture in pictures),
        subseed_strength=request.subseed_strength,
        resize_from=(request.seed_resize_from_w, request.seed_resize_from_h) if resized else None,
        source=NoiseSource(run.options.randn_source),
        eta_noise_seed_delta=run.options.eta_noise_seed_delta,
    )
    return PictureNoise(plan, shape, device)


def first_plan(run: Run, model: Model) -> SamplingPlan:
    """How the first pass is sampled."""
    request = run.request
    table = noise_table(run, model)
    return SamplingPlan(
        run.sampler, run.schedule, request.steps, request.cfg_scale, run.sampler_settings, table
    )


def noise_table(run: Run, model: Model) -> NoiseTable:
    """The noise levels of `model`, or those that settings make of them."""
    options = run.options
    moved = options.sd_noise_schedule == "Zero Terminal SNR"
    rounded, whole_times = options.use_downcasted_alpha_bar, options.enable_quantization
    return levels_of(model, moved=moved, rounded=rounded, whole_times=whole_times)


def levels_of(
    model: Model, *, moved: bool = False, rounded: bool = False, whole_times: bool = False
) -> NoiseTable:
    """The noise levels of `model`; `moved`: so that the last is noise alone, whatever the file says;
    `rounded`: from alphas in half precision; `whole_times`: see `NoiseTable`.
    """
    alphas = model.alphas_cumprod.half().float() if rounded else model.alphas_cumprod
    alphas = zero_terminal_snr(alphas) if moved else alphas
    is_sdxl = model.family in (Family.SDXL, Family.SDXL_REFINER)
    return NoiseTable(alphas, model.prediction, is_sdxl, whole_times)


def _empty(encoder: PromptEncoder) -> Tensor:
    """The empty prompt's context, for padding."""
    return encoder.positive([""], 1)[0][0].schedule[0].conditioning.cross_attention


def first_prompts(run: Run, count: int, encoder: PromptEncoder) -> Prompts:
    """What the first pass of `count` pictures is told."""
    evaluations = run.sampler.evaluations(run.request.steps)
    size = run.request.width, run.request.height
    return Prompts(
        positive=encoder.positive([run.prompt_without_tags] * count, evaluations, size=size),
        negative=encoder.negative([run.negative_prompt] * count, evaluations, size=size),
        empty=_empty(encoder) if run.options.pad_cond_uncond else None,
    )


def second_prompts(run: Run, hires: HiresRun, count: int, encoder: PromptEncoder) -> Prompts:
    """What the hires pass of `count` pictures is told."""
    first, second = run.sampler.evaluations(run.request.steps), hires.sampler.evaluations(hires.steps)
    size = hires.size.scaled_width, hires.size.scaled_height
    return Prompts(
        positive=encoder.positive([hires.prompt_without_tags] * count, first, second, size),
        negative=encoder.negative([hires.negative_prompt] * count, first, second, size),
        empty=_empty(encoder) if run.options.pad_cond_uncond else None,
    )


def handover_to(
    refiner: Artist | None, run: Run, artist: Artist, told: Callable[[Artist], Prompts], progress: Progress
) -> Handover | None:
    """The refiner's part in a pass that `artist` begins; `told`: what each of them is told.

    None without a refiner, and where it is of the same checkpoint.
    """
    if run.refiner is None or refiner is None:
        return None
    if refiner.model.checkpoint.path == artist.model.checkpoint.path:
        return None
    return Handover(
        network_of(refiner.model),
        noise_table(run, refiner.model),
        told(refiner),
        run.refiner.switch_at,
        run.refiner.by_steps,
        on_taken=partial(progress.hand_over, refiner),
    )


def draw_first(
    run: Run, pictures: range, artist: Artist, progress: Progress, refiner: Artist | None = None
) -> Tensor:
    """The latents (B, C, h, w) of the first pass, in which `refiner` may take over."""
    request, model = run.request, artist.model
    shape = (model.latent_channels, request.height // 8, request.width // 8)
    noise = picture_noise(run, pictures, shape, model.policy.device)

    def told(artist: Artist) -> Prompts:
        extra = extra_input_for_text(artist.model, request.height, request.width)
        return replace(first_prompts(run, len(pictures), artist.encoder), extra_input=extra)

    handover = handover_to(refiner, run, artist, told, progress)
    return sample(network_of(model), first_plan(run, model), noise, told(artist), progress.on_step, handover)


def draw_again(
    run: Run,
    hires: HiresRun,
    latents: Tensor,
    pictures: range,
    first: Artist,
    second: Artist,
    progress: Progress,
    watcher: Watcher,
    refiner: Artist | None = None,
    prompts: Prompts | None = None,
) -> Tensor:
    """The latents of the hires pass by `second`, from those of the first, which `first`'s VAE decodes.

    `prompts`: what `second` is told, where that was encoded before.
    """
    model = second.model
    seeds = [run.seeds.seeds[picture] for picture in pictures]
    start = enlarge(first.model, model, run, hires, latents, seeds, watcher.on_note)
    plan = replace(first_plan(run, model), sampler=hires.sampler, schedule=hires.schedule, steps=hires.steps)
    noise = picture_noise(run, pictures, tuple(start.latents.shape[1:]), model.policy.device)

    def told(artist: Artist) -> Prompts:
        extra = start.extra_input
        if artist is not second:
            extra = extra_input_for_text(artist.model, hires.size.height, hires.size.width)
        ahead = prompts if artist is second else None
        return replace(ahead or second_prompts(run, hires, len(pictures), artist.encoder), extra_input=extra)

    return resample(
        network_of(model),
        plan,
        noise,
        told(second),
        Start(start.latents, hires.strength, exact=True, extra_noise=run.options.img2img_extra_noise),
        progress.on_step,
        handover_to(refiner, run, second, told, progress),
    )
