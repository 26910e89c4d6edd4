"""Text to image, to be read from top to bottom: conditioning, noise, sampling, hires, decoding, saving."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from modules.checkpoints import Model
from modules.conditioning import PromptEncoder
from modules.generation.autoencoder import decode_to_picture
from modules.generation.extra_fields import extra_fields
from modules.generation.infotext_fields import infotext_of_picture
from modules.generation.network import extra_input_for_text, network_of, tiled_convolutions
from modules.generation.preview import LinearPreview, PreviewKind, preview_picture
from modules.generation.result import GenerationResult, result_of
from modules.generation.run import HiresRun, Run
from modules.generation.saving import Album
from modules.generation.second_pass import enlarge
from modules.generation.watcher import Interrupted, MadePicture, StepReport, Watcher
from modules.imaging import grid_rows, make_grid
from modules.sampling import (
    NoiseSource,
    NoiseTable,
    PictureNoise,
    Prediction,
    Prompts,
    SamplingPlan,
    SeedPlan,
    Start,
    Step,
    resample,
    sample,
)
from modules.version import VERSION

__all__ = ["Studio", "make_pictures"]


@dataclass(frozen=True)
class Artist:
    """A loaded model, the encoder of its prompts, and its preview map, fitted when first asked for."""

    model: Model
    encoder: PromptEncoder
    preview: Callable[[], LinearPreview]


@dataclass(frozen=True)
class Studio:
    """What a run works with: who draws the first pass, who the hires pass (mostly the same), and where
    pictures are kept.
    """

    first: Artist
    second: Artist
    album: Album


class _Progress:
    """Counts steps over all batches and passes, shows previews, and ends a pass when the watcher wants it."""

    def __init__(self, run: Run, watcher: Watcher) -> None:
        self._run, self._watcher = run, watcher
        self._artist: Artist | None = None
        self._done_before, self._pass_steps = 0, 0
        self.latest: Tensor | None = None
        self._batch, self._stage = 0, ""

    def begin(self, artist: Artist, batch: int, stage: str, steps: int) -> None:
        """A new pass of `steps` steps by `artist` begins."""
        self._artist, self._batch, self._stage, self._pass_steps, self.latest = (
            artist,
            batch,
            stage,
            steps,
            None,
        )
        self._report(0)

    def end(self) -> None:
        """The pass is over, however many steps it made."""
        self._done_before += self._pass_steps

    def on_step(self, index: int, step: Step) -> None:
        """The sampler's callback. Raises Interrupted when the run is to stop or to skip."""
        self.latest = step.denoised
        report = self._report(min(index + 1, self._pass_steps))
        if self._artist and self._watcher.wants_preview(report):
            kind = PreviewKind(self._run.options.show_progress_type)
            preview = preview_picture(self._artist.model, self._artist.preview(), step.denoised, kind)
            self._watcher.on_preview(preview)
        if self._watcher.should_stop() or self._watcher.should_skip():
            raise Interrupted

    def _report(self, step: int) -> StepReport:
        stage = f"{self._stage}: step {step} of {self._pass_steps}" if step else self._stage
        report = StepReport(
            self._done_before + step, self._run.steps_in_all, self._batch, self._run.request.n_iter, stage
        )
        self._watcher.on_step(report)
        return report


def _noise(run: Run, pictures: range, shape: tuple[int, int, int], device: torch.device) -> PictureNoise:
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


def _first_plan(run: Run, model: Model) -> SamplingPlan:
    request = run.request
    table = NoiseTable(model.alphas_cumprod, Prediction[model.prediction.name])
    return SamplingPlan(
        run.sampler, run.schedule, request.steps, request.cfg_scale, run.sampler_settings, table
    )


def _empty(encoder: PromptEncoder) -> Tensor:
    """The empty prompt's context, for padding."""
    return encoder.negative([""], 1)[0][0].conditioning.cross_attention


def _first_prompts(run: Run, encoder: PromptEncoder) -> Prompts:
    count, evaluations = run.request.batch_size, run.sampler.evaluations(run.request.steps)
    return Prompts(
        positive=encoder.positive([run.prompt_without_tags] * count, evaluations),
        negative=encoder.negative([run.negative_prompt] * count, evaluations),
        empty=_empty(encoder) if run.options.pad_cond_uncond else None,
    )


def _second_prompts(run: Run, hires: HiresRun, encoder: PromptEncoder) -> Prompts:
    count = run.request.batch_size
    first, second = run.sampler.evaluations(run.request.steps), hires.sampler.evaluations(hires.steps)
    return Prompts(
        positive=encoder.positive([hires.prompt_without_tags] * count, first, second),
        negative=encoder.negative([hires.negative_prompt] * count, first, second),
        empty=_empty(encoder) if run.options.pad_cond_uncond else None,
    )


def _draw_first(run: Run, pictures: range, artist: Artist, progress: _Progress) -> Tensor:
    """The latents (B, C, h, w) of the first pass."""
    request, model = run.request, artist.model
    shape = (model.latent_channels, request.height // 8, request.width // 8)
    network = network_of(model, extra_input_for_text(model, request.height, request.width))
    noise = _noise(run, pictures, shape, model.policy.device)
    return sample(
        network, _first_plan(run, model), noise, _first_prompts(run, artist.encoder), progress.on_step
    )


def _draw_again(
    run: Run,
    hires: HiresRun,
    latents: Tensor,
    pictures: range,
    studio: Studio,
    progress: _Progress,
    watcher: Watcher,
) -> Tensor:
    """The latents of the hires pass, from those of the first."""
    model = studio.second.model
    start = enlarge(
        studio.first.model, model, run, hires, latents, run.seeds.seeds[pictures.start], watcher.on_note
    )
    network = network_of(model, start.extra_input)
    plan = replace(_first_plan(run, model), sampler=hires.sampler, schedule=hires.schedule, steps=hires.steps)
    noise = _noise(run, pictures, tuple(start.latents.shape[1:]), model.policy.device)
    prompts = _second_prompts(run, hires, studio.second.encoder)
    return resample(
        network, plan, noise, prompts, Start(start.latents, hires.strength, exact=True), progress.on_step
    )


def _latents_of_batch(
    run: Run, number: int, pictures: range, studio: Studio, progress: _Progress, watcher: Watcher
) -> Tensor:
    """The finished latents of a batch.

    Raises Interrupted in the middle of a pass; then `progress.latest` is the newest estimate.
    """
    request, hires = run.request, run.hires
    name = f"Batch {number + 1} of {request.n_iter}" if request.n_iter > 1 else "Sampling"
    progress.begin(studio.first, number, name, request.steps)
    latents = _draw_first(run, pictures, studio.first, progress)
    progress.end()
    if hires is None:
        return latents
    progress.begin(studio.second, number, f"{name}, hires pass", hires.steps)
    latents = _draw_again(run, hires, latents, pictures, studio, progress, watcher)
    progress.end()
    return latents


def _make_batch(
    run: Run, number: int, studio: Studio, extra: Mapping[str, Any], progress: _Progress, watcher: Watcher
) -> list[MadePicture]:
    """Draw, decode and save one batch; an interrupted one gives its newest estimates."""
    size = run.request.batch_size
    pictures = range(number * size, (number + 1) * size)
    complete = True
    try:
        latents = _latents_of_batch(run, number, pictures, studio, progress, watcher)
    except Interrupted:
        if progress.latest is None:
            return []
        latents, complete = progress.latest, False
    made: list[MadePicture] = []
    decoder = studio.second.model if run.hires else studio.first.model
    for picture, latent in zip(pictures, latents, strict=True):
        image = decode_to_picture(decoder, latent, watcher.on_note)
        text = infotext_of_picture(run, studio.first.model, picture, VERSION, extra)
        finished = MadePicture(image, text, run.seeds.seeds[picture], run.seeds.subseeds[picture])
        finished = studio.album.keep(finished, run, studio.first.model, picture, complete)
        watcher.on_picture(finished)
        made.append(finished)
    return made


def _with_grid(
    run: Run, studio: Studio, made: list[MadePicture], extra: Mapping[str, Any], watcher: Watcher
) -> list[MadePicture]:
    """`made` with its grid in front, where one is wanted."""
    options = run.options
    if len(made) < 2 or not run.save or not (options.return_grid or options.grid_save):
        return made
    rows = grid_rows(len(made), run.request.batch_size, options.n_rows, options.grid_prevent_empty_spots)
    image = make_grid([picture.image for picture in made], rows)
    text = infotext_of_picture(run, studio.first.model, 0, VERSION, extra)
    grid = MadePicture(image, text, run.seeds.seeds[0], run.seeds.subseeds[0], is_grid=True)
    grid = studio.album.keep_grid(grid, run, studio.first.model)
    watcher.on_picture(grid)
    return [grid, *made] if options.return_grid else made


@torch.inference_mode()
def make_pictures(run: Run, studio: Studio, watcher: Watcher) -> GenerationResult:
    """Make the pictures of `run`, batch after batch, each saved as soon as it exists.

    When the watcher wants to stop, what is made so far is the result. Raises EaselError where the model
    cannot draw.
    """
    timestamp = time.strftime("%Y%m%d%H%M%S")
    extra = extra_fields(run)
    progress = _Progress(run, watcher)
    made: list[MadePicture] = []
    with (
        tiled_convolutions(studio.first.model, run.tiling),
        tiled_convolutions(studio.second.model, run.tiling),
    ):
        for number in range(run.request.n_iter):
            if watcher.should_stop():
                break
            made += _make_batch(run, number, studio, extra, progress, watcher)
        made = _with_grid(run, studio, made, extra, watcher)
    return result_of(run, studio.first.model, tuple(made), extra, VERSION, timestamp)
