"""What texts among the settings have to be, checked when they are set and not when they are first needed."""

import re
from pathlib import Path
from typing import Annotated, Any

from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator

__all__ = ["Colour", "HeaderText", "NameBeforeDash", "NothingIsAutomatic", "Place", "check_plain"]

LONGEST_TEXT = 10_000
LARGEST_NUMBER = 1e12
MOST_ITEMS, LONGEST_ITEM = 2_000, 1_000
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_NAME, LONGEST_PATH = 255, 3_000
"""In bytes, as most file systems have it; something of the path is kept for the names in the folder."""
LARGEST_LEVEL = 255


def check_plain(value: Any) -> Any:
    """`value` of any setting, with texts of bounded length and without control characters, and numbers that
    can be computed with.

    Raises ValueError with what it must be.
    """
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise ValueError(f"it must be a number of at most {LARGEST_NUMBER:g}")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"it must be at most {LONGEST_TEXT} characters long")
        if match := CONTROLS.search(value):
            raise ValueError(f"it must be without the control character {match[0]!a}")
    if isinstance(value, tuple):
        if len(value) > MOST_ITEMS:
            raise ValueError(f"it must be a list of at most {MOST_ITEMS}")
        if any(isinstance(item, str) and len(check_plain(item)) > LONGEST_ITEM for item in value):
            raise ValueError(f"it must be a list of texts of at most {LONGEST_ITEM} characters")
    return value


def _colour(value: str) -> str:
    try:
        levels = ImageColor.getcolor(value.strip(), "RGBA")
    except ValueError:
        levels = ()
    if (
        not isinstance(levels, tuple)
        or not levels
        or not all(0 <= level <= LARGEST_LEVEL for level in levels)
    ):
        raise ValueError("it must be a colour as in CSS: #ffffff, rgb(255, 255, 255) or white")
    return value.strip()


def _place(value: str) -> str:
    if match := NOT_IN_NAMES.search(value):
        raise ValueError(f"it must be a path, and no path has the character {match[0]!a}")
    if any(len(part.encode(errors="replace")) > LONGEST_NAME for part in re.split(r"[/\\]", value)):
        raise ValueError(f"it must be a path, and the name of a folder has at most {LONGEST_NAME} bytes")
    if len(value.encode(errors="replace")) > LONGEST_PATH:
        raise ValueError(f"it must be a path of at most {LONGEST_PATH} bytes")
    try:
        Path(value).expanduser()
    except RuntimeError:
        raise ValueError("it must be a path, and there is no such user: write the folder in full") from None
    return value


def _header(value: str) -> str:
    if not value.isascii() or not (value.isprintable() or not value):
        raise ValueError("it must be of letters, digits and signs of ASCII, for it is sent with requests")
    return value


def _before_dash(value: Any) -> Any:
    return value.split(" - ", 1)[0].strip() if isinstance(value, str) else value


def _automatic(value: Any) -> Any:
    return "Automatic" if value in (None, "") else value


Colour = Annotated[str, AfterValidator(_colour)]
Place = Annotated[str, AfterValidator(_place)]
"""Of a folder on the disk, or empty."""
HeaderText = Annotated[str, AfterValidator(_header)]
NothingIsAutomatic = BeforeValidator(_automatic)
NameBeforeDash = BeforeValidator(_before_dash)
"""For choices that other programs write with an explanation, as "sdp - scaled dot product"."""
