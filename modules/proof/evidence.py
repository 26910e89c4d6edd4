"""What a picture file tells about itself: its pixels, its record, its generation text."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pydantic import ValidationError

from modules.errors import EaselError
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.generation import PictureRecord
from modules.imaging import read_texts

__all__ = ["Evidence", "read_evidence"]

RECORD_BOUNDS = JsonBounds(bytes=64 << 20, nodes=1_000_000)
"""Of the record in a picture: it can hold the pictures that this one was made from."""

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
"""What Pillow reads by itself; for some other formats it starts other programs."""
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What it raises for files that are no pictures, or broken ones."""


@dataclass(frozen=True)
class Evidence:
    """A picture as it was found. `format` is Pillow's name of the file's format, None for pixels without a
    file.
    """

    image: Image.Image
    format: str | None
    infotext: str
    record: PictureRecord | None


def read_evidence(source: Path | BinaryIO | Image.Image) -> Evidence:
    """Read a picture with its record.

    Raises EaselError for what is no picture, and for a record that is damaged or newer than this program.
    """
    if isinstance(source, Image.Image):
        return _read(source)
    try:
        with Image.open(source, formats=FORMATS) as image:
            return _read(image)
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise EaselError(f"This cannot be read as a picture: {reason}.") from error


def _read(image: Image.Image) -> Evidence:
    image.load()
    texts = read_texts(image)
    record = None if texts.record is None else _parsed(texts.record)
    return Evidence(image.copy(), image.format, texts.infotext, record)


def _parsed(text: str) -> PictureRecord:
    try:
        return PictureRecord.model_validate(parse_json(text, "the record", RECORD_BOUNDS))
    except (ValidationError, JsonNotRead) as error:
        raise EaselError(_what_is_wrong(text, error)) from error


def _what_is_wrong(text: str, error: Exception) -> str:
    try:
        version = parse_json(text, "the record", RECORD_BOUNDS)["record"]
    except (JsonNotRead, TypeError, KeyError):
        version = None
    if isinstance(version, int) and version > 1:
        return f"The record is of version {version}, which a newer program wrote; this one reads version 1."
    where = error.errors()[0] if isinstance(error, ValidationError) else None
    at = ".".join(str(part) for part in where["loc"]) if where and where["loc"] else "its beginning"
    reason = where["msg"] if where else str(error)
    return f"The record in this picture is damaged, at {at}: {reason[0].lower()}{reason[1:]}."
