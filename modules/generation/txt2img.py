"""Making pictures, to be read from top to bottom: each group is drawn, decoded, and given its text."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from modules.generation.artist import Artist
from modules.generation.autoencoder import decode_to_picture
from modules.generation.canvas import make_canvas
from modules.generation.drawn import Drawn, ModelFacts, Role, facts_of
from modules.generation.extra_fields import extra_fields
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.infotext_fields import infotext_of_picture
from modules.generation.network import tiled_convolutions
from modules.generation.passes import draw_again, draw_first
from modules.generation.progress import Progress
from modules.generation.redraw import redraw
from modules.generation.run import Run
from modules.generation.watcher import Interrupted, Watcher
from modules.version import VERSION

__all__ = ["Receive", "Studio", "draw_pictures"]

Receive = Callable[[Drawn], None]
"""Takes a picture the moment it exists."""


@dataclass(frozen=True)
class Studio:
    """What a run works with: who draws the first pass, and who the hires pass (mostly the same)."""

    first: Artist
    second: Artist


class _Drawing:
    """One run at work in one studio."""

    def __init__(self, run: Run, studio: Studio, watcher: Watcher, receive: Receive) -> None:
        self._run, self._studio, self._watcher, self._receive = run, studio, watcher, receive
        self._progress = Progress(run, watcher, studio.first)
        self._extra = extra_fields(run)
        self._canvas = make_canvas(run) if isinstance(run.request, Img2ImgRequest) else None
        self.facts = facts_of(studio.first, studio.second)

    def draw_group(self, number: int, wanted: Collection[int]) -> None:
        """Draw group `number` and hand over those of its pictures that are `wanted`.

        Of an interrupted group the newest estimates are handed over.
        """
        pictures, complete = self._run.groups[number], True
        try:
            latents = self._latents(number, pictures, wanted)
        except Interrupted:
            if self._progress.latest is None:
                for picture in sorted(wanted):
                    self._hand_over(Role.PICTURE, picture, None, complete=False)
                return
            latents, complete = self._progress.latest, False
        self._progress.end_group()
        for picture, latent in zip(pictures, latents, strict=True):
            if picture in wanted:
                self._hand_over(Role.PICTURE, picture, latent, self._progress.artist, complete=complete)

    def _latents(self, number: int, pictures: range, wanted: Collection[int]) -> Tensor:
        """The finished latents of a group.

        Raises Interrupted in the middle of a pass; then `progress.latest` is the newest estimate.
        """
        run, studio, progress, hires = self._run, self._studio, self._progress, self._run.hires
        groups = len(run.groups)
        name = f"Batch {number + 1} of {groups}" if groups > 1 else "Sampling"
        progress.begin(studio.first, number, name, run.first_steps)
        if self._canvas:
            latents = redraw(run, pictures, studio.first, progress, self._canvas)
        else:
            latents = draw_first(run, pictures, studio.first, progress)
        progress.end()
        if hires is None:
            return latents
        if run.save and run.options.save_images_before_highres_fix:
            for picture, latent in zip(pictures, latents, strict=True):
                if picture in wanted:
                    self._hand_over(Role.BEFORE_HIRES, picture, latent, studio.first)
        progress.begin(studio.second, number, f"{name}, hires pass", hires.steps)
        latents = draw_again(
            run, hires, latents, pictures, studio.first, studio.second, progress, self._watcher
        )
        progress.end()
        return latents

    def _hand_over(
        self,
        role: Role,
        picture: int,
        latent: Tensor | None,
        decoder: Artist | None = None,
        *,
        complete: bool = True,
    ) -> None:
        """Decode `latent`, give the picture its text, and let it go."""
        run = self._run
        extra = {} if role is Role.BEFORE_HIRES else self._extra
        self._receive(
            Drawn(
                role=role,
                index=picture,
                image=None
                if latent is None or decoder is None
                else self._picture(decoder, latent, picture % run.request.batch_size),
                infotext=infotext_of_picture(run, self.facts, picture, VERSION, extra),
                seed=run.seeds.seeds[picture],
                subseed=run.seeds.subseeds[picture],
                facts=self.facts,
                complete=complete,
            )
        )

    def _picture(self, decoder: Artist, latent: Tensor, position: int) -> Image.Image:
        image = decode_to_picture(decoder.model, latent, self._watcher.on_note)
        return self._canvas.finished(image, position) if self._canvas else image


@torch.inference_mode()
def draw_pictures(
    run: Run, pictures: Collection[int], studio: Studio, watcher: Watcher, receive: Receive
) -> ModelFacts:
    """Draw `pictures` (0-based) of `run`, group after group, and hand each over as soon as it exists.

    A group is drawn whole even when only some of its pictures are wanted, so that the bits do not depend on
    what was drawn before. When the watcher wants to stop, that was all. Raises EaselError where the model
    cannot draw.
    """
    drawing = _Drawing(run, studio, watcher, receive)
    with (
        tiled_convolutions(studio.first.model, run.tiling),
        tiled_convolutions(studio.second.model, run.tiling),
    ):
        for number, group in enumerate(run.groups):
            wanted = set(group) & set(pictures)
            if not wanted:
                continue
            if watcher.should_stop():
                break
            # A wish to skip that came while the group before was decoded is past.
            watcher.should_skip()
            drawing.draw_group(number, wanted)
    return drawing.facts
