"""Making pictures, to be read from top to bottom: each group is drawn, decoded, and given its text."""

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack

import torch
from PIL import Image
from torch import Tensor

from modules.generation.artist import Artist
from modules.generation.autoencoder import CELL, decode_to_picture
from modules.generation.canvas import NOTHING_MASKED, Canvas, make_canvas
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
from modules.generation.shortage import shortage_caught
from modules.generation.sparing import Manner, manner_of, spared, with_decoding_spared
from modules.generation.strips import VaeStrips, strips_scope
from modules.generation.studio import Studio
from modules.generation.token_merging import hires_ratio, merged_tokens, merging_ratio
from modules.generation.watcher import Interrupted, Watcher
from modules.settings import sentences_about_unknown
from modules.version import VERSION

__all__ = ["Receive", "draw_pictures"]

Receive = Callable[[Drawn], None]
"""Takes a picture the moment it exists."""


IN_STRIPS = (
    "The pictures are too large to be decoded as a whole: this is done in strips, which takes longer and "
    "gives the same pictures within rounding."
)
SPARED = "The memory did not suffice, so the program goes on with less"


class _Drawing:
    """One run at work in one studio."""

    def __init__(self, run: Run, studio: Studio, watcher: Watcher, receive: Receive) -> None:
        self._run, self._watcher, self._receive = run, watcher, receive
        self._manner, self._is_spared = manner_of(run, studio), False
        self._handed: set[tuple[Role, int]] = set()
        self._progress = Progress(run, watcher, studio.first)
        self._canvas = _canvas_of(run)
        self._outfit = Outfit(watcher)
        self._facts = facts_of(studio.first, studio.second, studio.refiner)
        self._extra = extra_fields(run, self._facts)
        if self._canvas and self._canvas.draws_nothing:
            watcher.on_note(NOTHING_MASKED)
        if self._strips:
            watcher.on_note(IN_STRIPS)

    @property
    def _studio(self) -> Studio:
        return self._manner.studio

    @property
    def _strips(self) -> VaeStrips | None:
        """How the run's large pictures are coded; None where it has none."""
        strips = self._manner.strips
        return strips if strips and strips.concern(self._run.largest_pixels) else None

    @property
    def facts(self) -> ModelFacts:
        """The facts about the models and the adapters that are in use by now."""
        return self._outfit.facts(self._facts)

    def draw_group(self, number: int, wanted: Collection[int]) -> None:
        """Draw group `number` and hand over those of its pictures that are `wanted`.

        Of an interrupted group the newest estimates are handed over. What the memory does not suffice for is
        tried once more with less, and all that follows is drawn so too.
        """
        if not self._is_spared:
            with shortage_caught() as shortage, strips_scope(self._manner.strips):
                self._draw_group(number, wanted)
            if not shortage.met:
                return
            if self._is_spared:
                raise MemoryError
            self._go_on(*spared(self._run, self._manner))
        with strips_scope(self._manner.strips):
            self._draw_group(number, wanted)

    def _go_on(self, manner: Manner, words: Sequence[str]) -> None:
        """Draw in another `manner` from now on, of which `words` tell."""
        self._manner, self._is_spared = manner, True
        studio = manner.studio
        self._facts = facts_of(studio.first, studio.second, studio.refiner)
        self._watcher.on_note(f"{SPARED}: {', '.join(words)}." if words else f"{SPARED} after a pause.")

    def _draw_group(self, number: int, wanted: Collection[int]) -> None:
        studio, tags = self._studio, self._run.network_tags
        self._outfit.dress(studio.first, tags)
        if studio.refiner and studio.refiner.model.family is studio.first.model.family:
            self._outfit.dress(studio.refiner, tags)
        if self._run.order.script:
            self._draw_scripted(number, wanted)
            return
        group = self._run.groups[number]
        parts = [range(each, each + 1) for each in group] if self._manner.alone else [group]
        complete = True
        for pictures in parts:
            if own := set(wanted) & set(pictures):
                complete = complete and self._draw_together(number, pictures, own)
                if not complete:
                    self._give_up(own)
        self._progress.end_group()

    def _give_up(self, pictures: Collection[int]) -> None:
        """Hand over nothing for those of `pictures` of which there is nothing yet."""
        for picture in sorted(pictures):
            self._hand_over(Role.PICTURE, picture, None, complete=False)

    def _draw_together(self, number: int, pictures: range, wanted: Collection[int]) -> bool:
        """Draw `pictures` of group `number` in one batch; False where they were given up."""
        complete = True
        try:
            latents = self._latents(number, pictures, wanted)
        except Interrupted:
            if self._progress.latest is None:
                return False
            latents, complete = self._progress.latest, False
        for picture, latent in zip(pictures, latents, strict=True):
            if picture in wanted:
                image = self._picture(self._progress.artist, latent, picture)
                self._hand_over(Role.PICTURE, picture, image, complete=complete)
        return complete

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
        """Give the picture its text, and let it go, unless that was done before."""
        if (role, picture) in self._handed:
            return
        run, facts = self._run, self.facts
        self._outfit.tell_of_embeddings()
        extra = ({} if role is Role.BEFORE_HIRES else self._extra) | self._outfit.fields(run.options)
        if self._strips:
            extra["VAE strips"] = self._strips.share
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
                vae_strips=self._strips,
                alone=self._manner.alone,
            )
        )
        self._handed.add((role, picture))

    def _picture(self, decoder: Artist, latent: Tensor, picture: int) -> Image.Image:
        image = self._decoded(decoder, latent)
        position = picture % self._run.request.batch_size
        return self._canvas.finished(image, position) if self._canvas else image

    def _decoded(self, decoder: Artist, latent: Tensor) -> Image.Image:
        """`latent` as a picture. Where the memory does not suffice, only this is done again."""
        note = self._watcher.on_note
        if not self._is_spared:
            with shortage_caught(), strips_scope(self._manner.strips):
                return decode_to_picture(decoder.model, latent, note)
            pixels = latent.shape[1] * latent.shape[2] * CELL**2
            self._go_on(*with_decoding_spared(self._run, self._manner, pixels))
        with strips_scope(self._manner.strips):
            return decode_to_picture(decoder.model, latent, note)


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
    for sentence in (*run.order.notes, *sentences_about_unknown(run.options)):
        watcher.on_note(sentence)
    with ExitStack() as tiled:
        for artist in studio.artists:
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
