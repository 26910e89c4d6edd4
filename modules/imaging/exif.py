"""The EXIF user comment (EXIF 2.3, tag 9286), where JPEG, WebP and AVIF keep the generation text."""

from __future__ import annotations

import re
import struct

from PIL import Image

__all__ = ["EXIF_KEYS", "comment_to_exif", "exif_texts", "text_of_bytes"]

EXIF_KEYS = ("exif", "Raw profile type exif", "Raw profile type APP1")
"""Under which Pillow keeps the block of an opened picture; ImageMagick writes it into PNGs as text."""
EXIF_DIRECTORY = 0x8769
USER_COMMENT = 0x9286
DESCRIPTION = 0x010E
HEADER_BYTES = 8
UNICODE = b"UNICODE\0"
ENCODINGS = {b"ASCII\0\0\0": "latin-1", b"JIS\0\0\0\0\0": "shift_jis", b"\0" * HEADER_BYTES: "utf-8"}

LATIN = re.compile(r"[ -~]")

# Pillow reads EXIF lazily and lets all of these through when the block is damaged.
BROKEN_EXIF = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    struct.error,
)


def comment_to_exif(comment: str) -> bytes:
    """An EXIF block that holds nothing but the comment, in UTF-16 big endian, the field's habit."""
    exif = Image.Exif()
    exif[EXIF_DIRECTORY] = {USER_COMMENT: UNICODE + comment.encode("utf-16-be")}
    return exif.tobytes()


def exif_texts(image: Image.Image) -> tuple[list[str], str]:
    """The user comments in the EXIF block of a picture, of the EXIF directory and of the first one, where
    some programs put it; and the description. Empty where there are none, or the block is broken.
    """
    try:
        first = image.getexif()
        comments = [first.get_ifd(EXIF_DIRECTORY).get(USER_COMMENT), first.get(USER_COMMENT)]
        description = first.get(DESCRIPTION)
    except BROKEN_EXIF:
        return [], ""
    return [text for each in comments if (text := _text(each))], _text(description)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return _decode(value)
    return value if isinstance(value, str) else ""


def text_of_bytes(data: bytes) -> str:
    """The text in `data`: UTF-8, which no other text is by chance, else Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decode(value: bytes) -> str:
    """A user comment. What its first eight bytes say about the encoding is often untrue: UTF-8 is tried
    first, where it can be told.
    """
    header, data = value[:HEADER_BYTES], value[HEADER_BYTES:]
    if header.upper() == UNICODE:
        text = _utf_8(data) if len(data) > 1 and b"\0" not in data else None
        text = data.decode(_byte_order(data), errors="replace") if text is None else text
    elif header in ENCODINGS:
        text = _utf_8(data)
        text = data.decode(ENCODINGS[header], errors="replace") if text is None else text
    else:
        text = value.decode("utf-8", errors="ignore")
    return text.removeprefix("\ufeff").rstrip("\0")


def _utf_8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _byte_order(data: bytes) -> str:
    """The standard leaves the order open, and programs differ: a mark tells, else the more Latin reading."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-16-be"
    little, big = (len(LATIN.findall(data.decode(order, "replace"))) for order in ("utf-16-le", "utf-16-be"))
    return "utf-16-le" if little > big else "utf-16-be"
