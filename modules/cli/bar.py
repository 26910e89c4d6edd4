"""A bar on a terminal that shows how far something is."""

from typing import TextIO

__all__ = ["ProgressBar"]

CELLS = 24


class ProgressBar:
    """One line that is drawn again and again where there is a terminal; where there is none, nothing."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def show(self, stage: str, share: float) -> None:
        """Draw the bar: `share` of `stage`, 0 to 1, is done."""
        if self._terminal.isatty():
            filled = round(share * CELLS)
            self.write(f"{stage} [{'#' * filled}{'.' * (CELLS - filled)}] {share:4.0%}")

    def write(self, text: str) -> None:
        """Put `text` into the place of the bar; "" takes it away."""
        back = "\r\x1b[K" if self._terminal.isatty() else ""
        self._terminal.write(back + text)
        self._terminal.flush()
