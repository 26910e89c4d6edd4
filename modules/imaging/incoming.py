"""The one reader of pictures that came from outside: sent in base64, uploaded, lying in a folder.

Three steps, in this order. The head tells format and size, and what would cost far too much is refused; the
pictures of a call are counted and added up; then they are decoded, under one budget of pixels for all calls
at a time. Nothing else in the program calls `Image.open` on what it did not write itself.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

import numpy as np
from PIL import ExifTags, Image, ImageOps

from modules.errors import InvalidRequest
from modules.imaging.containers import PNG_SIGNATURE, check_container, png_chunks
from modules.imaging.exif import BROKEN_EXIF, EXIF_KEYS
from modules.imaging.pixel_budget import PixelBudget
from modules.imaging.tiff_tables import tables_are_sound

__all__ = [
    "DECODING",
    "LARGEST_FILE",
    "MAX_PIXELS",
    "MOST_PIXELS_OF_CALL",
    "decode_picture",
    "decoded",
    "decoding",
    "in_eight_bits",
    "info_of",
    "is_address",
    "load_picture",
    "open_picture",
    "picture_file",
    "read_picture_file",
    "upright",
    "upright_size",
]

log = logging.getLogger(__name__)

MAX_PIXELS = 100_000_000
"""Of one picture that is sent; Pillow itself refuses to open more than 179 million."""
MOST_PIXELS_OF_CALL = 200_000_000
"""Of all pictures that one call gives."""
MAX_CHARACTERS = 400_000_000
LARGEST_FILE = 300_000_000
"""Bytes of a picture file: a hundred megapixels without compression."""
READ_AT_ONCE = 16_000_000
"""Bytes of a file that is read before its head is judged."""
SIXTEEN_BITS = 65_535
URL_ALPHABET = str.maketrans("-_", "+/")
SPACES = (" ", "\n", "\r", "\t")
ADDRESSES = ("http://", "https://")
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "TGA", "ICO", "QOI")
"""Kinds that Pillow reads by itself; EPS, say, would start another program."""
DECODING = PixelBudget(MOST_PIXELS_OF_CALL)
"""Of the whole process: what is decoded at a time, whoever asked."""
MOST_WAIT = 20.0
"""Seconds that a call waits for others to give their part of it back."""
EXIF_MARK = b"Exif\0\0"
TURNED = (5, 6, 7, 8)
"""Orientations of EXIF whose width is stored as the height."""
NO_MORE = b"\0\0\0\0IEND\xaeB`\x82"
"""The end of a PNG."""


def is_address(text: str) -> bool:
    """Whether the text of a picture field is an address, and not the picture."""
    return text[:8].lower().startswith(ADDRESSES)


def decode_picture(field: str, text: str) -> Image.Image:
    """The picture in base64 `text`, opened but not read: size and kind are judged by the header.

    Raises InvalidRequest when the text is an address, no base64, no picture, or a picture of more than
    MAX_PIXELS.
    """
    return open_picture(field, _sent_file(field, text))


def _sent_file(field: str, text: str) -> bytes:
    if is_address(text):
        raise InvalidRequest(
            field, f"{field} is an address, and none is fetched here; send the file itself in base64."
        )
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest(
            field, f"{field} holds {len(text)} characters; at most {MAX_CHARACTERS} are read."
        )
    try:
        return picture_file(text)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(field, f"{field} is not a picture in base64: {error}.") from error


def picture_file(text: str) -> bytes:
    """The bytes of the file in base64 `text`, with or without a data URL's head, in the usual alphabet or in
    that of addresses, with or without "=" at the end. Raises ValueError.
    """
    coded = text.split(",", 1)[-1]
    if "%" in coded:
        coded = unquote(coded)
    if "-" in coded or "_" in coded:
        coded = coded.translate(URL_ALPHABET)
    if (missing := -len(coded.rstrip("=")) % 4) and not any(space in coded for space in SPACES):
        coded = coded.rstrip("=") + "=" * missing
    return base64.b64decode(coded, validate=False)


def open_picture(field: str, data: bytes) -> Image.Image:
    """The picture in a file's bytes, opened but not read: size and kind are judged by the header.

    Raises InvalidRequest when it is no picture of a kind that is read, one of more than MAX_PIXELS, and one
    that would cost as much as that.
    """
    return _judged(field, io.BytesIO(data), len(data))[0]


def info_of(picture: Image.Image) -> dict[Any, Any]:
    """What stands in an opened picture beside its pixels, by Pillow's names; no pixel is decoded for it.

    In a PNG texts may stand behind the pixels: these are left out and the rest is read as a file of its own.
    """
    file = getattr(picture, "fp", None)
    if picture.format != "PNG" or file is None:
        return picture.info
    place = file.tell()
    try:
        kept = [PNG_SIGNATURE]
        for kind, start, length in png_chunks(file):
            # Without its frames an animation is a picture like any other.
            if kind not in (b"IDAT", b"fdAT", b"acTL", b"fcTL", b"IEND"):
                file.seek(start - 8)
                kept.append(file.read(length + 12))
        with Image.open(io.BytesIO(b"".join([*kept, NO_MORE])), formats=("PNG",)) as rest:
            _drop_unsound_exif(rest)
            picture.info.update(rest.info)
    except Exception:  # what is damaged behind the pixels is as good as not there
        log.debug("the texts behind the pixels cannot be read", exc_info=True)
    finally:
        file.seek(place)
    return picture.info


def read_picture_file(path: Path, name: str = "") -> bytes:
    """The bytes of the picture file at `path`; the head of a large one is looked at before it is read whole.

    Raises InvalidRequest as `open_picture` for a large file, with its `name`, and OSError where it cannot be
    read.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        if length > READ_AT_ONCE:
            _judged(name or path.name, file, length)
            file.seek(0)
        return file.read(LARGEST_FILE)


@contextmanager
def decoded(
    given: Sequence[tuple[str, str]], seconds: float | None = MOST_WAIT
) -> Iterator[list[Image.Image]]:
    """The pictures of a call, each by its field and its base64 text, their pixels read, while they are used.

    All heads are read first, and the sum of the pixels is held against MOST_PIXELS_OF_CALL. Then it waits up
    to `seconds` (None: as long as it takes) for its part of the budget. Raises InvalidRequest for a picture
    that is damaged and for too much, TooBusy where others keep the budget.
    """
    files = [(field, _sent_file(field, text)) for field, text in given]
    opened = [(field, *_judged(field, io.BytesIO(data), len(data))) for field, data in files]
    del files
    costs = sum(cost for _, _, cost in opened)
    if costs > MOST_PIXELS_OF_CALL:
        raise InvalidRequest(
            opened[0][0],
            f"The {len(opened)} pictures of this call have {costs // 10**6} megapixels together, and at most "
            f"{MOST_PIXELS_OF_CALL // 10**6} are read in one; send fewer, or smaller ones.",
        )
    with DECODING.part(costs, seconds):
        yield [_loaded(field, picture) for field, picture, _ in opened]


def load_picture(field: str, text: str) -> Image.Image:
    """One picture in base64 `text`, its pixels read. Raises as `decoded`."""
    with decoded([(field, text)]) as [picture]:
        return picture


@contextmanager
def decoding(field: str, picture: Image.Image, seconds: float | None = MOST_WAIT) -> Iterator[Image.Image]:
    """An opened picture, its pixels read under the budget, while it is used. Raises as `decoded`."""
    with DECODING.part(picture.width * picture.height, seconds):
        yield _loaded(field, picture)


def upright(picture: Image.Image) -> Image.Image:
    """The picture as a viewer shows it, whatever way the camera was held, in at most 8 bits a channel."""
    try:
        picture = ImageOps.exif_transpose(picture)
    except BROKEN_EXIF:
        log.debug("the camera data of a picture are damaged", exc_info=True)
    return in_eight_bits(picture)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height of an opened picture as a viewer shows it; only its head is read."""
    try:
        is_turned = picture.getexif().get(ExifTags.Base.Orientation) in TURNED
    except BROKEN_EXIF:
        is_turned = False
    return picture.size[::-1] if is_turned else picture.size


def _loaded(field: str, picture: Image.Image) -> Image.Image:
    try:
        picture.load()
    except Exception as error:  # of damaged data the decoders raise whatever they stumble over
        log.debug("%s cannot be decoded", field, exc_info=True)
        raise InvalidRequest(
            field, f"{field} is a damaged {picture.format}: {error}. Send it whole."
        ) from error
    return picture


def _judged(field: str, file: BinaryIO, length: int) -> tuple[Image.Image, int]:
    """The picture in `file`, opened but not read, and what it costs to read: its pixels, or more."""
    if length > LARGEST_FILE:
        raise InvalidRequest(
            field,
            f"{field} has {length // 10**6} MB; picture files of up to {LARGEST_FILE // 10**6} MB are read.",
        )
    try:
        factor = check_container(file, length)
    except ValueError as error:
        raise InvalidRequest(field, f"{field} {error}.") from error
    file.seek(0)
    picture = _opened(field, file, length)
    pixels = picture.width * picture.height
    if pixels > MAX_PIXELS:
        raise _too_large(field, f"{picture.width}x{picture.height}")
    if pixels * factor > MAX_PIXELS:
        raise InvalidRequest(
            field,
            f"{field} is a {picture.format} of {picture.width}x{picture.height} in a form that is slow to "
            f"read, of which at most {MAX_PIXELS // factor / 10**6:g} megapixels are read; send it as PNG.",
        )
    return picture, pixels * factor


def _opened(field: str, file: BinaryIO, length: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(field, "larger than any that is read") from error
    except Exception as error:  # of a damaged head the readers raise whatever they stumble over
        log.debug("%s cannot be opened", field, exc_info=True)
        sentence = f"{field} holds {length} bytes that are not a picture this program can open"
        reason = "" if isinstance(error, Image.UnidentifiedImageError) else f" ({error})"
        raise InvalidRequest(field, f"{sentence}{reason}; it reads {', '.join(FORMATS)}.") from error
    _drop_unsound_exif(picture)
    return picture


def _drop_unsound_exif(picture: Image.Image) -> None:
    """Camera data that would grow when they are read are as good as none."""
    for key in EXIF_KEYS:
        block = picture.info.get(key)
        if isinstance(block, str):
            block = _unwrapped_profile(block)
        if isinstance(block, bytes):
            block = block.removeprefix(EXIF_MARK)
            if not tables_are_sound(io.BytesIO(block), len(block)):
                del picture.info[key]


def _unwrapped_profile(text: str) -> bytes:
    """The bytes of a profile in hexadecimal digits, as ImageMagick writes it into a PNG."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """`picture`, or where it is grey with more than 8 bits, its upper 8: Pillow itself would cut off what is
    brighter than level 255. Of floating point 0 .. 1 is black to white, or where that is exceeded 0 .. 255.
    """
    if picture.mode == "F":
        numbers = np.nan_to_num(np.asarray(picture))
        numbers = numbers * 255 if numbers.max(initial=0) <= 1 else numbers
        return Image.fromarray(numbers.clip(0, 255).astype(np.uint8))
    if not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture).clip(0, SIXTEEN_BITS) >> 8
    return Image.fromarray(levels.astype(np.uint8))


def _too_large(field: str, size: str) -> InvalidRequest:
    return InvalidRequest(
        field, f"{field} is {size}; pictures of up to {MAX_PIXELS // 10**6} megapixels are read."
    )
