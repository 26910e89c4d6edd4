"""A group of pictures at work, as a script sees it: what there is, and how to draw from it."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

from PIL import Image

from modules.generation.artist import Artist
from modules.generation.autoencoder import decode_to_picture
from modules.generation.canvas import StartPictures, first_picture, make_canvas
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.progress import Progress
from modules.generation.redraw import redraw
from modules.generation.run import Run
from modules.generation.seeds import seeds_of_pictures
from modules.generation.watcher import Interrupted

__all__ = ["ScriptGroup"]


class ScriptGroup:
    """The pictures number `pictures` (0-based) of `run`, which a script draws in passes of image to image.

    Once `stopped`, every further pass gives back what it started from.
    """

    def __init__(
        self,
        run: Run,
        number: int,
        artist: Artist,
        progress: Progress,
        note: Callable[[str], None],
        refiner: Artist | None = None,
    ) -> None:
        self.run, self.pictures = run, run.groups[number]
        self.stopped = False
        self.has_drawn = False
        self._number, self._artist, self._progress, self._note = number, artist, progress, note
        self._refiner, self._passes = refiner, 0

    @cached_property
    def picture(self) -> Image.Image:
        """The request's first picture (RGB), upright, transparent parts in the background's colour."""
        request = self.run.request
        assert isinstance(request, Img2ImgRequest)
        return first_picture(request, self.run.options.img2img_background_color)

    def redraw(self, start: StartPictures, **changed: Any) -> list[Image.Image]:
        """The finished pictures of a pass that begins at `start`, the request's fields `changed` so.

        Where the run is interrupted they are of the newest estimates, or `start` itself.
        """
        run = _with_request(self.run, changed)
        self._passes += 1
        if self.stopped:
            return [start.pictures[k % len(start.pictures)] for k in range(len(self.pictures))]
        self._progress.begin(self._artist, self._number, self._stage(), run.first_steps)
        canvas = make_canvas(run, start)
        try:
            latents = redraw(run, self.pictures, self._artist, self._progress, canvas, self._refiner)
        except Interrupted:
            self.stopped = True
            if self._progress.latest is None:
                return [canvas.picture_for(self._position(k)) for k in self.pictures]
            latents = self._progress.latest
        self.has_drawn = True
        self._progress.end()
        return [
            canvas.finished(
                decode_to_picture(self._progress.artist.model, latent, self._note), self._position(k)
            )
            for k, latent in zip(self.pictures, latents, strict=True)
        ]

    def _position(self, picture: int) -> int:
        return picture % self.run.request.batch_size

    def _stage(self) -> str:
        groups, passes = len(self.run.groups), len(self.run.order.passes)
        batch = f"Batch {self._number + 1} of {groups}, " if groups > 1 else ""
        name = f"{batch}pass {self._passes} of {passes}"
        return name[0].upper() + name[1:]


def _with_request(run: Run, changed: dict[str, Any]) -> Run:
    request = run.request.model_copy(update=changed)
    order = run.order.model_copy(update={"request": request})
    seeds = seeds_of_pictures(request.seed, request.subseed, request.subseed_strength, order.pictures)
    return replace(run, order=order, seeds=seeds)
