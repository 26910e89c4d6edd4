"""Pictures inside safetensors metadata: `ssmd_cover_images`, and `modelspec.thumbnail`."""

from __future__ import annotations

import binascii
from collections.abc import Mapping

from modules.errors import NotFound
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.imaging import picture_file

__all__ = ["COVER_KEYS", "cover_of", "has_cover"]

COVERS, THUMBNAIL = "ssmd_cover_images", "modelspec.thumbnail"
COVER_BOUNDS = JsonBounds(bytes=100_000_000, depth=4)
"""As large as a header may be: the pictures stand in it as text."""
COVER_KEYS = (COVERS, THUMBNAIL)
"""Of the metadata: what is left out where metadata are shown as text."""


def has_cover(metadata: Mapping[str, str]) -> bool:
    """Whether there is a picture, as far as can be told without decoding one."""
    return metadata.get(COVERS, "").lstrip("[ \n").startswith('"') or metadata.get(THUMBNAIL, "").startswith(
        "data:image/"
    )


def cover_of(metadata: Mapping[str, str], number: int = 0) -> bytes:
    """The bytes of picture `number`, from 0; those of `ssmd_cover_images` come first. They may be anything.

    Raises NotFound when there is none.
    """
    thumbnail = metadata.get(THUMBNAIL, "")
    texts = [*_covers(metadata.get(COVERS, "")), *([thumbnail] if thumbnail else [])]
    if not 0 <= number < len(texts):
        raise NotFound(f"The file has {len(texts)} pictures inside, so there is no picture {number}.")
    try:
        return picture_file(texts[number])
    except (binascii.Error, ValueError) as error:
        raise NotFound(f"Picture {number} inside the file cannot be decoded: {error}.") from error


def _covers(text: str) -> list[str]:
    try:
        covers = parse_json(text, COVERS, COVER_BOUNDS) if text else []
    except JsonNotRead:
        return []
    return [each for each in covers if isinstance(each, str)] if isinstance(covers, list) else []
