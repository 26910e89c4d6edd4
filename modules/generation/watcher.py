"""How a run tells what it does, and how it is told to stop."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

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
    """A finished picture: pixels, its generation text, seeds, and where it was saved (None: it was not).

    `unsaved` is the sentence that says why it could not be, when it was to be saved.
    """

    image: Image.Image
    infotext: str
    seed: int
    subseed: int
    path: Path | None = None
    is_grid: bool = False
    unsaved: str | None = None


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
