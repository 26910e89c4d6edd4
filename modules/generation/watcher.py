"""How a run tells what it does, and how it is told to stop."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from PIL import Image

from modules.errors import NotFound
from modules.imaging import read_texts

__all__ = ["Interrupted", "MadePicture", "SilentWatcher", "StepReport", "Watcher"]


class Interrupted(Exception):
    """Raised inside a sampler when the person asked to stop or to skip; the run keeps what is done."""


@dataclass(frozen=True)
class StepReport:
    """Where a run stands: `done` of `total` network steps over all pictures; `stage` is a few words for the
    page.
    """

    done: int
    total: int
    batch: int
    batches: int
    stage: str


@dataclass(frozen=True)
class MadePicture:
    """A finished picture: its generation text, seeds, and where it was saved (None: it was not).

    `index` counts the pictures of its job from 0. `unsaved` is the sentence that says why it could not be
    saved, when it was to be. `spooled` is the job's own file of a picture that is not among the outputs.
    """

    image: Image.Image | None
    """The pixels; None once they are left to a file."""
    infotext: str
    seed: int
    subseed: int
    path: Path | None = None
    is_grid: bool = False
    unsaved: str | None = None
    index: int = 0
    spooled: Path | None = None
    record: str | None = None
    """The machine-readable record that its file carries beside the text; `carried_record` finds it there."""

    @property
    def file(self) -> Path | None:
        """Where its pixels can be read again."""
        return self.path or self.spooled

    def pixels(self) -> Image.Image:
        """The picture, read from its file if it is no longer in memory.

        Raises NotFound when the file is gone or cannot be read.
        """
        if self.image is not None:
            return self.image
        if self.file is None:
            raise NotFound("This picture was never kept in a file.")
        try:
            with Image.open(self.file) as image:
                image.load()
                return image.copy()
        except (OSError, ValueError, SyntaxError) as error:
            raise NotFound(
                f"{self.file.name} is no longer where it was saved, or not whole: {error}."
            ) from error

    def carried_record(self) -> str | None:
        """The record, read from its file where memory has none."""
        if self.record is not None or self.file is None:
            return self.record
        try:
            with Image.open(self.file) as image:
                return read_texts(image).record
        except (OSError, ValueError, SyntaxError):
            return None

    def without_pixels(self) -> "MadePicture":
        """The same, its pixels left to the file where there is one."""
        return self if self.file is None else replace(self, image=None)


class Watcher(Protocol):
    """What a run calls while it works. Every method returns at once; none of them raises."""

    def on_step(self, report: StepReport) -> None:
        """After each step of a sampler and at each change of stage."""

    def wants_preview(self, report: StepReport) -> bool:
        """Whether a preview of the latent would be looked at now; asked once a step."""

    def on_preview(self, image: Image.Image) -> None:
        """A picture of the unfinished latent."""

    def on_picture(self, picture: MadePicture) -> None:
        """A picture is finished and, if it is to be saved, saved."""

    def on_note(self, sentence: str) -> None:
        """Something the person should know although the run goes on, such as a retry in float32."""

    def should_stop(self) -> bool:
        """Whether the whole run is to end after this step."""

    def should_skip(self) -> bool:
        """Whether this batch is to end after this step and the next to begin; reading it takes the wish
        back.
        """


class SilentWatcher:
    """A watcher that looks away: for tests, benchmarks and the command line's quiet mode."""

    def on_step(self, report: StepReport) -> None:
        """Ignored."""

    def wants_preview(self, report: StepReport) -> bool:
        """Never."""
        return False

    def on_preview(self, image: Image.Image) -> None:
        """Ignored."""

    def on_picture(self, picture: MadePicture) -> None:
        """Ignored."""

    def on_note(self, sentence: str) -> None:
        """Ignored."""

    def should_stop(self) -> bool:
        """Never."""
        return False

    def should_skip(self) -> bool:
        """Never."""
        return False
