"""The folder of what is uploaded to the page: its owner's alone, bounded, and gone with the program."""

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from modules.folders import Folders

__all__ = ["MOST_BYTES", "Uploads"]

VARIABLE = "GRADIO_TEMP_DIR"
USERS_OWN = os.environ.get(VARIABLE)
"""Where the person who started the program wants uploads, if he said so."""
MOST_BYTES = 4 * 2**30
"""All uploads together; past that the oldest go."""


class Uploads:
    """The folder: one for the process, since Gradio asks the environment for it whenever something comes.

    Making it takes away what a crash left there: nobody else works on the data folder.
    """

    def __init__(self, folders: Folders) -> None:
        chosen = os.environ.get(VARIABLE)
        self._is_maker = chosen == USERS_OWN
        self.folder = _place(folders) if self._is_maker or chosen is None else Path(chosen)
        if self._is_maker:
            self.remove()
            # What Gradio makes in the folder has rights of its own, which do not matter.
            self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            os.environ[VARIABLE] = str(self.folder)

    def remove(self) -> None:
        """Take the folder away, with all that is in it."""
        if self._is_maker:
            shutil.rmtree(self.folder, ignore_errors=True)

    def make_room(self, most: int = MOST_BYTES) -> None:
        """Let go of the oldest uploads until those that are left have at most `most` bytes."""
        found = []
        for path in self.folder.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    state = path.stat()
                    found.append((state.st_mtime_ns, state.st_size, path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= most:
                return
            with suppress(OSError):
                path.unlink()
            left -= size


def _place(folders: Folders) -> Path:
    """Below the data folder, or where the environment says, under a name of this data folder's own."""
    if not USERS_OWN:
        return folders.cache / "uploads"
    digest = hashlib.sha256(os.fsencode(folders.data)).hexdigest()[:12]
    return Path(USERS_OWN) / f"easel-{digest}"
