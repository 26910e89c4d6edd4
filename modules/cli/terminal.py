"""Progress on a terminal."""

from collections.abc import Callable
from typing import TextIO

from PIL import Image

from modules.generation import MadePicture, StepReport

__all__ = ["TerminalWatcher"]

BAR_CELLS = 24


class TerminalWatcher:
    """Writes a progress bar where there is a terminal, and hands each finished picture on.

    `stop` may be called from a signal handler; the second call ends the program at once.
    """

    def __init__(self, terminal: TextIO, keep: Callable[[MadePicture], None]) -> None:
        self._terminal = terminal
        self._keep = keep
        self._stopping = False
        self.failure: Exception | None = None

    def stop(self) -> None:
        """End after the current step. Raises KeyboardInterrupt when that was asked for before."""
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        self._line("Stopping after this step; Ctrl-C again stops at once.\n")

    def on_step(self, report: StepReport) -> None:
        """Redraw the bar."""
        if self._terminal.isatty():
            part = report.done / max(report.total, 1)
            filled = round(part * BAR_CELLS)
            self._line(f"{report.stage} [{'#' * filled}{'.' * (BAR_CELLS - filled)}] {part:4.0%}")

    def wants_preview(self, report: StepReport) -> bool:
        """A terminal shows none."""
        return False

    def on_preview(self, image: Image.Image) -> None:
        """Ignored."""

    def on_picture(self, picture: MadePicture) -> None:
        """Hand on a finished picture; one that was cut short by a stop is dropped."""
        self._line("")
        if self._stopping:
            return
        try:
            self._keep(picture)
        except OSError as error:
            self.failure, self._stopping = error, True

    def on_note(self, sentence: str) -> None:
        """Say it on a line of its own."""
        self._line(sentence + "\n")

    def should_stop(self) -> bool:
        """Whether Ctrl-C was pressed, or a picture could not be kept."""
        return self._stopping

    def should_skip(self) -> bool:
        """Never."""
        return False

    def clear(self) -> None:
        """Take the bar away."""
        self._line("")

    def _line(self, text: str) -> None:
        """Replace what stands on the current line of the terminal."""
        back = "\r\x1b[K" if self._terminal.isatty() else ""
        self._terminal.write(back + text)
        self._terminal.flush()
