"""Pictures that were sent: base64 with or without a data URL's head, judged by their header first."""

import base64
import binascii
import io
import warnings
from urllib.parse import unquote

import numpy as np
from PIL import Image

from modules.errors import InvalidRequest

__all__ = [
    "MAX_PIXELS",
    "decode_picture",
    "in_eight_bits",
    "is_address",
    "load_picture",
    "open_picture",
    "picture_file",
]

MAX_PIXELS = 100_000_000
"""Of one picture that is sent; Pillow itself refuses to open more than 179 million."""
MAX_CHARACTERS = 400_000_000
SIXTEEN_BITS = 65_535
URL_ALPHABET = str.maketrans("-_", "+/")
SPACES = (" ", "\n", "\r", "\t")
ADDRESSES = ("http://", "https://")
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "TGA", "ICO", "QOI")
"""Kinds that Pillow reads by itself; EPS, say, would start another program."""


def is_address(text: str) -> bool:
    """Whether the text of a picture field is an address, and not the picture."""
    return text[:8].lower().startswith(ADDRESSES)


def decode_picture(field: str, text: str) -> Image.Image:
    """The picture in base64 `text`, opened but not read: size and kind are judged by the header.

    Raises InvalidRequest when the text is an address, no base64, no picture, or a picture of more than
    MAX_PIXELS.
    """
    if is_address(text):
        raise InvalidRequest(
            field, f"{field} is an address, and none is fetched here; send the file itself in base64."
        )
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest(
            field, f"{field} holds {len(text)} characters; at most {MAX_CHARACTERS} are read."
        )
    try:
        return open_picture(field, picture_file(text))
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


def load_picture(field: str, text: str) -> Image.Image:
    """The picture in base64 `text`, its pixels read. Raises InvalidRequest as `decode_picture` does, and for
    a picture that is cut short.
    """
    picture = decode_picture(field, text)
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError, IndexError) as error:
        raise InvalidRequest(
            field, f"{field} is a damaged {picture.format}: {error}. Send it whole."
        ) from error
    return picture


def open_picture(field: str, data: bytes) -> Image.Image:
    """The picture in a file's bytes, opened but not read: size and kind are judged by the header.

    Raises InvalidRequest when it is no picture of a kind that is read, or one of more than MAX_PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(field, "larger than any that is read") from error
    except (OSError, SyntaxError) as error:
        sentence = f"{field} holds {len(data)} bytes that are not a picture this program can open"
        raise InvalidRequest(field, f"{sentence}; it reads {', '.join(FORMATS)}.") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(field, f"{picture.width}x{picture.height}")
    return picture


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """`picture`, or where it is grey with more than 8 bits, its upper 8: Pillow itself would cut off what is
    brighter than level 255.
    """
    if not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture).clip(0, SIXTEEN_BITS) >> 8
    return Image.fromarray(levels.astype(np.uint8))


def _too_large(field: str, size: str) -> InvalidRequest:
    return InvalidRequest(
        field, f"{field} is {size}; pictures of up to {MAX_PIXELS // 10**6} megapixels are read."
    )
