"""Making pictures, to be read from top to bottom: each group is drawn, decoded, and given its text."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from modules.generation.artist import Artist
from modules.generation.autoencoder import decode_to_picture
from modules.generation.canvas import Canvas, make_canvas
from modules.generation.drawn import Drawn, ModelFacts, Role, facts_of
from modules.generation.extra_fields import extra_fields
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.infotext_fields import infotext_of_picture
from modules.generation.network import tiled_convolutions
from modules.generation.outfit import Outfit
from modules.generation.passes import draw_again, draw_first, second_prompts
from modules.generation.progress import Progress
from modules.generation.redraw import redraw
from modules.generation.run import Run
from modules.generation.script_group import ScriptGroup
from modules.generation.scripts import NoScripts, ScriptMenu
from modules.generation.token_merging import hires_ratio, merged_tokens, merging_ratio
from modules.generation.watcher import Interrupted, Watcher
from modules.settings import sentences_about_unknown
from modules.version import VERSION

__all__ = ["Receive", "Studio", "draw_pictures"]

Receive = Callable[[Drawn], None]
"""Takes a picture the moment it exists."""


@dataclass(frozen=True)
class Studio:
    """What a run works with: who draws the first pass, who the hires pass (mostly the same), and who takes
    over in the middle of them, if anybody; and the scripts that it may name.
    """

    first: Artist
    second: Artist
    refiner: Artist | None = None
    scripts: ScriptMenu = field(default_factory=NoScripts)


class _Drawing:
    """One run at work in one studio."""

    def __init__(self, run: Run, studio: Studio, watcher: Watcher, receive: Receive) -> None:
        self._run, self._studio, self._watcher, self._receive = run, studio, watcher, receive
        self._progress = Progress(run, watcher, studio.first)
        self._canvas = _canvas_of(run)
        self._outfit = Outfit(watcher)
        self._facts = facts_of(studio.first, studio.second, studio.refiner)
        self._extra = extra_fields(run, self._facts)

    @property
    def facts(self) -> ModelFacts:
        """The facts about the models and the adapters that are in use by now."""
        return self._outfit.facts(self._facts)

    def draw_group(self, number: int, wanted: Collection[int]) -> None:
        """Draw group `number` and hand over those of its pictures that are `wanted`.

        Of an interrupted group the newest estimates are handed over.
        """
        studio, tags = self._studio, self._run.network_tags
        self._outfit.dress(studio.first, tags)
        if studio.refiner and studio.refiner.model.family is studio.first.model.family:
            self._outfit.dress(studio.refiner, tags)
        if self._run.order.script:
            self._draw_scripted(number, wanted)
            return
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
                image = self._picture(self._progress.artist, latent, picture)
                self._hand_over(Role.PICTURE, picture, image, complete=complete)

    def _draw_scripted(self, number: int, wanted: Collection[int]) -> None:
        """The same where a script draws; of an interrupted group that shows nothing new, no pictures."""
        studio = self._studio
        group = ScriptGroup(
            self._run, number, studio.first, self._progress, self._watcher.on_note, studio.refiner
        )
        with merged_tokens(studio.first.model.unet, merging_ratio(self._run)):
            images = studio.scripts.draw(group)
        self._progress.end_group()
        for picture, image in zip(group.pictures, images, strict=True):
            if picture in wanted:
                shown = image if group.has_drawn or not group.stopped else None
                self._hand_over(Role.PICTURE, picture, shown, complete=not group.stopped)

    def _latents(self, number: int, pictures: range, wanted: Collection[int]) -> Tensor:
        """The finished latents of a group.

        Raises Interrupted in the middle of a pass; then `progress.latest` is the newest estimate.
        """
        run, studio, progress, hires = self._run, self._studio, self._progress, self._run.hires
        groups = len(run.groups)
        name = f"Batch {number + 1} of {groups}" if groups > 1 else "Sampling"
        progress.begin(studio.first, number, name, run.first_steps)
        refiner = studio.refiner if run.refiner and run.refiner.in_first_pass else None
        with merged_tokens(studio.first.model.unet, merging_ratio(run)):
            if self._canvas:
                latents = redraw(run, pictures, studio.first, progress, self._canvas, refiner)
            else:
                latents = draw_first(run, pictures, studio.first, progress, refiner)
        progress.end()
        if hires is None:
            return latents
        if run.save and run.options.save_images_before_highres_fix:
            for picture, latent in zip(pictures, latents, strict=True):
                if picture in wanted:
                    image = self._picture(progress.artist, latent, picture)
                    self._hand_over(Role.BEFORE_HIRES, picture, image)
        decoder = progress.artist
        prompts = None
        if run.options.hires_fix_use_firstpass_conds and studio.second is studio.first:
            prompts = second_prompts(run, hires, len(pictures), studio.first.encoder)
        self._outfit.dress(studio.second, hires.network_tags)
        progress.begin(studio.second, number, f"{name}, hires pass", hires.steps)
        refiner = studio.refiner if run.refiner and run.refiner.in_second_pass else None
        with merged_tokens(studio.second.model.unet, hires_ratio(run)):
            latents = draw_again(
                run,
                hires,
                latents,
                pictures,
                decoder,
                studio.second,
                progress,
                self._watcher,
                refiner,
                prompts,
            )
        progress.end()
        return latents

    def _hand_over(
        self,
        role: Role,
        picture: int,
        image: Image.Image | None,
        *,
        complete: bool = True,
    ) -> None:
        """Give the picture its text, and let it go."""
        run, facts = self._run, self.facts
        self._outfit.tell_of_embeddings()
        extra = ({} if role is Role.BEFORE_HIRES else self._extra) | self._outfit.fields(run.options)
        self._receive(
            Drawn(
                role=role,
                index=picture,
                image=image,
                infotext=infotext_of_picture(run, facts, picture, VERSION, extra),
                seed=run.seeds.seeds[picture],
                subseed=run.seeds.subseeds[picture],
                facts=facts,
                complete=complete,
            )
        )

    def _picture(self, decoder: Artist, latent: Tensor, picture: int) -> Image.Image:
        image = decode_to_picture(decoder.model, latent, self._watcher.on_note)
        position = picture % self._run.request.batch_size
        return self._canvas.finished(image, position) if self._canvas else image


def _canvas_of(run: Run) -> Canvas | None:
    """Where the run's one pass starts; a script makes canvases of its own."""
    drawn_over = isinstance(run.request, Img2ImgRequest) and run.order.script is None
    return make_canvas(run) if drawn_over else None


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
    for sentence in sentences_about_unknown(run.options):
        watcher.on_note(sentence)
    with ExitStack() as tiled:
        for artist in (studio.first, studio.second, studio.refiner):
            if artist is not None:
                tiled.enter_context(tiled_convolutions(artist.model, run.tiling))
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
