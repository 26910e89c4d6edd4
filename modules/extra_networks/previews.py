"""Pictures on cards: found beside the file or inside it, made small once, replaced by a person."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from modules.atomic import replace_file
from modules.checkpoints import read_metadata
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.extra_networks.beside import PREVIEW_ENDINGS
from modules.extra_networks.card import Card
from modules.extra_networks.covers import cover_of
from modules.imaging import (
    PictureFormat,
    SaveFormat,
    decoding,
    encode_picture,
    open_picture,
    read_texts,
    upright,
)

__all__ = ["PreviewPicture", "Previews", "replace_preview"]

log = logging.getLogger(__name__)

SMALL = SaveFormat(PictureFormat.WEBP, quality=82)
WHOLE = SaveFormat(PictureFormat.PNG)
MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
}
LARGEST_FILE = 64 << 20
"""Bytes of a file that is taken for a preview."""
MOST_AT_ONCE = 2
"""Pictures that are decoded at a time: large ones take much memory."""


@dataclass(frozen=True, slots=True)
class PreviewPicture:
    """A picture to be sent."""

    data: bytes
    media_type: str


class Previews:
    """Previews in the folders `roots`; small ones are kept in the folder `store`. For several threads."""

    def __init__(self, roots: Sequence[Path], store: Path) -> None:
        self._roots, self._store = tuple(roots), store
        self._turn = threading.BoundedSemaphore(MOST_AT_ONCE)

    def of_file(self, filename: str, side: int | None = None) -> PreviewPicture:
        """The preview in the file `filename`; `side`: its longer side in pixels is at most that.

        Raises NotFound for a place outside the folders of networks, for a file that is gone, and for one that
        is no picture.
        """
        path = Path(os.path.normpath(filename))
        is_inside = path.is_absolute() and any(path.is_relative_to(root) for root in self._roots)
        if not is_inside or not path.name.lower().endswith(PREVIEW_ENDINGS):
            raise NotFound(
                "Only pictures in the folders of models are shown here: PNG, JPEG, WebP, AVIF, GIF."
            )
        try:
            stamp = path.stat()
        except (OSError, ValueError) as error:
            raise NotFound(f"The preview {path.name} is no longer there. Refresh.") from error
        return self._picture(path, f"{stamp.st_mtime_ns:x}", side, lambda: _read(path))

    def of_cover(self, path: Path, number: int = 0, side: int | None = None) -> PreviewPicture:
        """Picture `number` inside the metadata of the network in the file `path`. Raises NotFound."""
        try:
            stamp = path.stat()
        except OSError as error:
            raise NotFound(f"{path.name} is no longer there. Refresh.") from error
        version = f"{stamp.st_mtime_ns:x}.{number}"
        return self._picture(path, version, side, lambda: cover_of(read_metadata(path), number))

    def _picture(
        self, path: Path, version: str, side: int | None, read: Callable[[], bytes]
    ) -> PreviewPicture:
        if side is None:
            data = read()
            with open_preview(path, data) as image:
                return PreviewPicture(data, MEDIA_TYPES[image.format or ""])
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
        kept = self._store / f"{digest}-{side}-{version}.webp"
        try:
            return PreviewPicture(kept.read_bytes(), MEDIA_TYPES["WEBP"])
        except OSError:
            pass
        with self._turn:
            data = _made_small(path, read(), side)
        self._keep(kept, f"{digest}-{side}-*.webp", data)
        return PreviewPicture(data, MEDIA_TYPES["WEBP"])

    def _keep(self, file: Path, older: str, data: bytes) -> None:
        """In the place of the copies of what stood there before."""
        try:
            self._store.mkdir(parents=True, exist_ok=True)
            for old in self._store.glob(older):
                old.unlink(missing_ok=True)
            replace_file(file, data)
        except OSError as error:
            log.warning("small previews are not kept in %s: %s", self._store, error)


def replace_preview(card: Card, picture: Image.Image) -> Path:
    """Make `picture` the preview of a card, with the generation text that it carries; the file it is in now.

    It is a PNG, so that it counts before all others. Raises EaselError when it cannot be written.
    """
    path = card.new_preview_path
    if path == card.path:
        raise EaselError(f"{path.name} is the network itself, so it is not written over.")
    encoded = encode_picture(picture, read_texts(picture).infotext, WHOLE)
    try:
        replace_file(path, encoded.data)
    except OSError as error:
        raise EaselError(
            f"The preview {path.name} cannot be written into {path.parent}: {error.strerror or error}."
        ) from error
    return path


def open_preview(path: Path, data: bytes) -> Image.Image:
    """The picture in `data`, opened but not read. Raises NotFound if browsers would not show it."""
    try:
        image = open_picture("preview", data)
    except EaselError as error:
        raise NotFound(f"The preview of {path.name} cannot be shown: {error}") from error
    if image.format not in MEDIA_TYPES:
        raise NotFound(f"The preview of {path.name} is a {image.format}, which browsers do not show.")
    return image


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise NotFound(f"The preview {path.name} is larger than {LARGEST_FILE >> 20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"The preview {path.name} cannot be read: {error.strerror or error}.") from error


def _made_small(path: Path, data: bytes, side: int) -> bytes:
    try:
        with open_preview(path, data) as image:
            # JPEGs are decoded at a fraction of their size, where the format allows it.
            image.draft("RGB", (side, side))
            with decoding("preview", image) as picture:
                small = upright(picture)
                small.thumbnail((side, side))
                return encode_picture(small, "", SMALL).data
    except InvalidRequest as error:
        raise NotFound(f"The preview of {path.name} cannot be shown: {error}") from error
