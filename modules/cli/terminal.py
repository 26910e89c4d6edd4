"""Progress on a terminal."""

from collections.abc import Callable
from typing import TextIO

from PIL import Image

from modules.cli.bar import ProgressBar
from modules.generation import MadePicture, StepReport

__all__ = ["TerminalWatcher"]


class TerminalWatcher:
    """Writes a progress bar where there is a terminal, and hands each finished picture on.

    `stop` may be called from a signal handler; the second call ends the program at once.
    """

    def __init__(self, terminal: TextIO, keep: Callable[[MadePicture], None]) -> None:
        self._bar = ProgressBar(terminal)
        self._keep = keep
        self._stopping = False
        self.failure: Exception | None = None

    def stop(self) -> None:
        """End after the current step. Raises KeyboardInterrupt when that was asked for before."""
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        self._bar.write("Stopping after this step; Ctrl-C again stops at once.\n")

    def on_step(self, report: StepReport) -> None:
        """Redraw the bar."""
        self._bar.show(report.stage, report.done / max(report.total, 1))

    def wants_preview(self, report: StepReport) -> bool:
        """A terminal shows none."""
        return False

    def on_preview(self, image: Image.Image) -> None:
        """Ignored."""

    def on_picture(self, picture: MadePicture) -> None:
        """Hand on a finished picture; one that was cut short by a stop is dropped."""
        self._bar.write("")
        if self._stopping:
            return
        try:
            self._keep(picture)
        except OSError as error:
            self.failure, self._stopping = error, True

    def on_note(self, sentence: str) -> None:
        """Say it on a line of its own."""
        self._bar.write(sentence + "\n")

    def should_stop(self) -> bool:
        """Whether Ctrl-C was pressed, or a picture could not be kept."""
        return self._stopping

    def should_skip(self) -> bool:
        """Never."""
        return False

    def clear(self) -> None:
        """Take the bar away."""
        self._bar.write("")
