"""The EXIF user comment (EXIF 2.3, tag 9286), where JPEG, WebP and AVIF keep the generation text."""

from __future__ import annotations

import re
import struct

from PIL import Image

__all__ = ["comment_to_exif", "exif_to_comment"]

EXIF_DIRECTORY = 0x8769
USER_COMMENT = 0x9286
HEADER_BYTES = 8
UNICODE = b"UNICODE\0"
ENCODINGS = {b"ASCII\0\0\0": "ascii", b"JIS\0\0\0\0\0": "shift_jis", b"\0" * HEADER_BYTES: "utf-8"}

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


def exif_to_comment(image: Image.Image) -> str:
    """The user comment of a picture; empty where there is none, or where the EXIF block is broken."""
    try:
        value = image.getexif().get_ifd(EXIF_DIRECTORY).get(USER_COMMENT, b"")
    except BROKEN_EXIF:
        return ""
    if isinstance(value, str):
        return value
    return _decode(value) if isinstance(value, bytes) else ""


def _decode(value: bytes) -> str:
    header, data = value[:HEADER_BYTES], value[HEADER_BYTES:]
    if header == UNICODE:
        text = data.decode(_byte_order(data), errors="replace")
    elif header in ENCODINGS:
        text = data.decode(ENCODINGS[header], errors="replace")
    else:
        text = value.decode("utf-8", errors="ignore")
    return text.removeprefix("\ufeff").rstrip("\0")


def _byte_order(data: bytes) -> str:
    """The standard leaves the order open, and programs differ: a mark tells, else the more Latin reading."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-16-be"
    little, big = (len(LATIN.findall(data.decode(order, "replace"))) for order in ("utf-16-le", "utf-16-be"))
    return "utf-16-le" if little > big else "utf-16-be"
