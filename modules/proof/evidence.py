"""What a picture file tells about itself: its pixels, its record, its generation text."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pydantic import ValidationError

from modules.errors import EaselError, InvalidRequest
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.generation import PictureRecord
from modules.imaging import decoding, open_picture, read_picture_file, read_texts

__all__ = ["Evidence", "read_evidence"]

RECORD_BOUNDS = JsonBounds(bytes=64 << 20, nodes=1_000_000)
"""Of the record in a picture: it can hold the pictures that this one was made from."""

WHAT = "This picture"


@dataclass(frozen=True)
class Evidence:
    """A picture as it was found. `format` is Pillow's name of the file's format, None for pixels without a
    file.
    """

    source: bytes | Image.Image
    format: str | None
    infotext: str
    record: PictureRecord | None

    @cached_property
    def image(self) -> Image.Image:
        """Its pixels, decoded when they are wanted. Raises EaselError for a damaged file."""
        if isinstance(self.source, Image.Image):
            return self.source
        with open_picture(WHAT, self.source) as opened, decoding(WHAT, opened) as picture:
            return picture.copy()


def read_evidence(source: Path | BinaryIO | Image.Image) -> Evidence:
    """Read what a picture tells; pixels of a file that tells nothing are never decoded.

    Raises EaselError for what is no picture or damaged, and for a record that is damaged or newer than this
    program.
    """
    if isinstance(source, Image.Image):
        return _read(source, source.copy())
    try:
        data = read_picture_file(source, WHAT) if isinstance(source, Path) else source.read()
    except OSError as error:
        raise EaselError(f"This cannot be read as a picture: {error.strerror or error}.") from error
    try:
        opened = open_picture(WHAT, data)
    except InvalidRequest as error:
        raise EaselError(f"This cannot be read as a picture: {error}") from error
    with opened:
        evidence = _read(opened, data)
        if evidence.record or evidence.infotext:
            with decoding(WHAT, opened):
                pass  # a damaged one is refused before anything is drawn
    return evidence


def _read(image: Image.Image, source: bytes | Image.Image) -> Evidence:
    texts = read_texts(image)
    record = None if texts.record is None else _parsed(texts.record)
    return Evidence(source, image.format, texts.infotext, record)


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
