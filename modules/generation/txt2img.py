"""Text to image, to be read from top to bottom: each batch is drawn, decoded, given its text, and saved."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from modules.generation.artist import Artist
from modules.generation.autoencoder import decode_to_picture
from modules.generation.extra_fields import extra_fields
from modules.generation.infotext_fields import infotext_of_picture
from modules.generation.network import tiled_convolutions
from modules.generation.passes import draw_again, draw_first
from modules.generation.progress import Progress
from modules.generation.result import GenerationResult, result_of
from modules.generation.run import Run
from modules.generation.saving import Album
from modules.generation.watcher import Interrupted, MadePicture, Watcher
from modules.imaging import grid_rows, make_grid
from modules.version import VERSION

__all__ = ["Studio", "make_pictures"]


@dataclass(frozen=True)
class Studio:
    """What a run works with: who draws the first pass, who the hires pass (mostly the same), and where
    pictures are kept.
    """

    first: Artist
    second: Artist
    album: Album


def _latents_of_batch(
    run: Run, number: int, pictures: range, studio: Studio, progress: Progress, watcher: Watcher
) -> Tensor:
    """The finished latents of a batch.

    Raises Interrupted in the middle of a pass; then `progress.latest` is the newest estimate.
    """
    request, hires = run.request, run.hires
    name = f"Batch {number + 1} of {request.n_iter}" if request.n_iter > 1 else "Sampling"
    progress.begin(studio.first, number, name, request.steps)
    latents = draw_first(run, pictures, studio.first, progress)
    progress.end()
    if hires is None:
        return latents
    if run.save and run.options.save_images_before_highres_fix:
        _keep_first_pass(run, latents, pictures, studio, watcher)
    progress.begin(studio.second, number, f"{name}, hires pass", hires.steps)
    latents = draw_again(run, hires, latents, pictures, studio.first, studio.second, progress, watcher)
    progress.end()
    return latents


def _keep_first_pass(run: Run, latents: Tensor, pictures: range, studio: Studio, watcher: Watcher) -> None:
    """Save the pictures as they are before the hires pass."""
    model = studio.first.model
    for picture, latent in zip(pictures, latents, strict=True):
        image = decode_to_picture(model, latent, watcher.on_note)
        text = infotext_of_picture(run, model, picture, VERSION, {})
        made = MadePicture(image, text, run.seeds.seeds[picture], run.seeds.subseeds[picture])
        studio.album.keep(made, run, model, picture, suffix="-before-highres-fix")


def _make_batch(
    run: Run, number: int, studio: Studio, extra: Mapping[str, Any], progress: Progress, watcher: Watcher
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
    decoder = progress.artist.model
    progress.end_batch()
    made: list[MadePicture] = []
    for picture, latent in zip(pictures, latents, strict=True):
        image = decode_to_picture(decoder, latent, watcher.on_note)
        text = infotext_of_picture(run, studio.first.model, picture, VERSION, extra)
        finished = MadePicture(image, text, run.seeds.seeds[picture], run.seeds.subseeds[picture])
        if complete or run.options.save_incomplete_images:
            finished = studio.album.keep(finished, run, studio.first.model, picture)
        watcher.on_picture(finished)
        made.append(finished)
    return made


def _with_grid(
    run: Run, studio: Studio, made: list[MadePicture], extra: Mapping[str, Any], watcher: Watcher
) -> list[MadePicture]:
    """`made` with its grid in front, where one is wanted."""
    options = run.options
    fewest = 2 if options.grid_only_if_multiple else 1
    if len(made) < fewest or not run.save or not (options.return_grid or options.grid_save):
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

    When the watcher wants to stop, what is made so far is the result. A picture that cannot be saved is
    part of it too, with the reason. Raises EaselError where the model cannot draw.
    """
    timestamp = time.strftime("%Y%m%d%H%M%S")
    extra = extra_fields(run)
    progress = Progress(run, watcher, studio.first)
    made: list[MadePicture] = []
    with (
        tiled_convolutions(studio.first.model, run.tiling),
        tiled_convolutions(studio.second.model, run.tiling),
    ):
        for number in range(run.request.n_iter):
            if watcher.should_stop():
                break
            # A wish to skip that came while the batch before was decoded is past.
            watcher.should_skip()
            made += _make_batch(run, number, studio, extra, progress, watcher)
        made = _with_grid(run, studio, made, extra, watcher)
    return result_of(run, studio.first.model, tuple(made), extra, VERSION, timestamp)
