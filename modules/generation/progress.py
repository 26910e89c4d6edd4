"""Counting the steps of a run, showing previews, and ending a pass when the watcher wants it."""

from contextlib import suppress

from PIL import Image
from torch import Tensor

from modules.errors import EaselError
from modules.generation.artist import Artist
from modules.generation.preview import PreviewKind, preview_picture
from modules.generation.run import Run
from modules.generation.watcher import Interrupted, StepReport, Watcher
from modules.sampling import Step

__all__ = ["Progress"]


class Progress:
    """Counts steps over all batches and passes, shows previews, and ends a pass when the watcher wants it."""

    def __init__(self, run: Run, watcher: Watcher, artist: Artist) -> None:
        self._run, self._watcher = run, watcher
        self.artist = artist
        self._done_before, self._pass_steps = 0, 0
        self._groups = len(run.groups)
        self.latest: Tensor | None = None
        self._batch, self._stage = 0, ""

    def begin(self, artist: Artist, batch: int, stage: str, steps: int) -> None:
        """A new pass of `steps` steps by `artist` begins, for group number `batch`."""
        if batch != self._batch:
            self._done_before = batch * self._run.steps_of_group
        self.artist, self._batch, self._stage = artist, batch, stage
        self._pass_steps, self.latest = steps, None
        self._report(0)

    def end(self) -> None:
        """The pass is over, however many steps it made."""
        self._report(self._pass_steps)
        self._done_before += self._pass_steps

    def end_group(self) -> None:
        """The group is drawn or given up: all its steps count as made."""
        self._done_before = (self._batch + 1) * self._run.steps_of_group

    def hand_over(self, artist: Artist) -> None:
        """The pass goes on by `artist`, whose VAE the latents are for from now on."""
        self.artist = artist

    def on_step(self, index: int, step: Step) -> None:
        """The sampler's callback. Raises Interrupted when the run is to stop or to skip."""
        self.latest = step.denoised
        report = self._report(min(index + 1, self._pass_steps))
        if self._watcher.wants_preview(report):
            # Latents that no picture can be made of are the end result's business, not the preview's.
            with suppress(EaselError):
                self._watcher.on_preview(self._preview(step.denoised))
        if self._watcher.should_stop() or self._watcher.should_skip():
            raise Interrupted

    def _preview(self, denoised: Tensor) -> Image.Image:
        options = self._run.options
        shown = denoised if options.show_progress_grid else denoised[:1]
        kind = PreviewKind(options.show_progress_type)
        return preview_picture(self.artist.model, self.artist.preview(), shown, kind)

    def _report(self, step: int) -> StepReport:
        stage = f"{self._stage}: step {step} of {self._pass_steps}" if step else self._stage
        report = StepReport(
            self._done_before + step, self._run.steps_in_all, self._batch, self._groups, stage
        )
        self._watcher.on_step(report)
        return report
