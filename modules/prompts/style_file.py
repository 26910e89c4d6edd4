"""A styles file on the disk: read with bounds, and changed so that nothing that a person wrote is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from modules.atomic import replace_file
from modules.copies import keep_copy
from modules.errors import EaselError
from modules.prompts.style_table import StyleTable, read_table

__all__ = ["LARGEST_FILE", "StyleFile"]

LARGEST_FILE = 16 * 2**20


class StyleFile:
    """One file of styles. Before the first change of one that this program did not write, a copy is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = b""
        """Digest of what was written here last."""

    def read(self) -> StyleTable:
        """What the file holds. Never fails: why it cannot be read is then the table's note."""
        try:
            return read_table(self._bytes())
        except FileNotFoundError:
            return StyleTable()
        except EaselError as error:
            return StyleTable(notes=(f"{error} Its styles are not there, and it is left as it is.",))

    def change(self, change: Callable[[StyleTable], StyleTable]) -> None:
        """Put `change` of what the file holds now in its place.

        Raises EaselError for a file that cannot be read or written; then it is as it was before.
        """
        try:
            data = self._bytes()
        except FileNotFoundError:
            data = b""
        except EaselError as error:
            raise EaselError(f"The style was not saved in {self.path}: {error}") from error
        table = read_table(data)
        written = change(table).encoded()
        if len(written) > LARGEST_FILE:
            raise EaselError(
                f"The style was not saved: {self.path} would have more than {LARGEST_FILE >> 20} MB. Delete "
                "styles that are not needed, or shorten this one."
            )
        try:
            # A symbolic link stays one: the file that it points at is replaced.
            target = self.path.resolve()
            target.parent.mkdir(parents=True, exist_ok=True)
            if data and not table.is_own and hashlib.sha256(data).digest() != self._written:
                keep_copy(target, data)
            replace_file(target, written)
        except OSError as error:
            raise EaselError(
                f"The styles could not be saved to {self.path}: {error.strerror or error}. The file is as it "
                "was before."
            ) from error
        self._written = hashlib.sha256(written).digest()

    def _bytes(self) -> bytes:
        """The file as it is. Raises FileNotFoundError, and EaselError with a sentence for everything else."""
        try:
            with self.path.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise EaselError(f"It cannot be read: {error.strerror or error}.") from error
        if len(data) > LARGEST_FILE:
            raise EaselError(f"It has more than {LARGEST_FILE >> 20} MB, so it is no file of styles.")
        return data
