"""The files that the page may show by their path: pictures and texts that the program saved, and uploads.

A setting that names a folder is no grant to read it: what lies outside the usual folders is served where the
command line says so (`--gradio-allowed-path`), and the data folder's own files never.
"""

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse

from modules.errors import Closed
from modules.house import House

__all__ = ["ServedFiles", "serve_files"]

PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".gif": "image/gif",
}
TEXTS = frozenset({".txt", ".csv", ".json"})
ARCHIVES = frozenset({".zip"})
SAVED = frozenset(PICTURES) | TEXTS | ARCHIVES
"""The kinds of files that the program writes among the outputs."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
    "Cache-Control": "private, no-cache",
}
"""Whatever a file holds, no script in it runs as a part of the page."""
PLAIN = "text/plain; charset=utf-8"


class ServedFiles:
    """Which files of the machine the page shows."""

    def __init__(self, house: House, uploads: Path) -> None:
        self._house, self._uploads = house, uploads.resolve()
        self._granted = [Path(path).absolute().resolve() for path in house.flags.gradio_allowed_path]

    def folders(self) -> list[Path]:
        """Where the program's own pictures are shown from: outputs, log, and the folder of the Save button if
        it is one of the data folder's and none that the program keeps something else in.
        """
        folders = self._house.folders
        saves = folders.place(self._house.store.options.outdir_save).resolve()
        data = folders.data.resolve()
        is_usual = saves != data and saves.is_relative_to(data) and not self._is_taken(saves)
        return [folders.outputs.resolve(), folders.log.resolve(), *([saves] if is_usual else [])]

    def find(self, text: str) -> Path:
        """The file that a path means. Raises Closed for one that is not served, there or not."""
        refused = Closed(
            f"{text[:300]!r} is not shown by the page: it shows pictures and texts among its outputs, and "
            "what lies in folders that --gradio-allowed-path names."
        )
        if "\0" in text or not text:
            raise refused
        try:
            path = Path(text).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise refused from None
        if not path.is_file() or not self.is_served(path):
            raise refused
        return path

    def is_served(self, path: Path) -> bool:
        """Whether the page shows the file at `path`, which is absolute and leads through no link."""
        if path in self._own_files():
            return False
        if path.is_relative_to(self._uploads) or any(path.is_relative_to(each) for each in self._granted):
            return True
        return path.suffix.lower() in SAVED and any(path.is_relative_to(each) for each in self.folders())

    def _is_taken(self, folder: Path) -> bool:
        """Whether `folder` is, holds or lies in one that the program keeps its own files or models in."""
        folders = self._house.folders
        own = [folders.models, folders.cache, folders.config_states, folders.extensions, *folders.embeddings]
        kept = [each.resolve() for each in own]
        return any(folder.is_relative_to(each) or each.is_relative_to(folder) for each in kept)

    def _own_files(self) -> set[Path]:
        folders, flags = self._house.folders, self._house.flags
        named = [
            folders.config_file, folders.ui_config_file, folders.session_key_file, folders.lock_file,
            *(Path(f"{folders.database_file}{suffix}") for suffix in ("", "-wal", "-shm")),
            *(path for path in (flags.gradio_auth_path, flags.tls_keyfile) if path),
        ]  # fmt: skip
        return {Path(path).absolute().resolve() for path in named}


def serve_files(app: FastAPI, served: ServedFiles) -> None:
    """Answer in the place of Gradio's route for files, which has to be on `app` afterwards."""

    def file(path: str, request: Request) -> Response:
        found = served.find(path)
        kind = found.suffix.lower()
        if kind in PICTURES:
            return FileResponse(found, media_type=PICTURES[kind], headers=HEADERS)
        if kind in TEXTS:
            return FileResponse(found, media_type=PLAIN, headers=HEADERS)
        return FileResponse(
            found,
            media_type=mimetypes.types_map.get(kind) if kind in ARCHIVES else "application/octet-stream",
            headers=HEADERS,
            filename=found.name.encode("utf-8", "replace").decode(),
        )

    for form in ("file=", "file/"):
        address = f"/gradio_api/{form}{{path:path}}"
        app.add_api_route(address, file, methods=["GET", "HEAD"], include_in_schema=False)
