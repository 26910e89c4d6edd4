"""The files of a batch: the pictures of a folder, and what belongs to each of them."""

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from modules.errors import EaselError, InvalidRequest
from modules.filenames import path_in
from modules.imaging import open_picture, read_picture_file, read_texts
from modules.listing import folder_entries

__all__ = [
    "SUFFIXES",
    "mask_of",
    "pictures_in",
    "store_picture",
    "text_beside",
    "text_inside",
]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"})
"""Of files that are taken for pictures."""
LONGEST_TEXT_FILE = 1_000_000


def pictures_in(folder: Path, field: str) -> tuple[str, ...]:
    """Names of the pictures in `folder`, as a person would number them: 2 before 10.

    Raises InvalidRequest for `field` when the folder is not there or cannot be read.
    """
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        raise InvalidRequest(
            field, f"The folder {folder} cannot be read: {error.strerror or error}. Name one that is there."
        ) from error
    names = (name for name in folder_entries(folder).files if Path(name).suffix.lower() in SUFFIXES)
    return tuple(sorted((name for name in names if not name.startswith(".")), key=_natural))


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part.lower())
        for part in re.split(r"(\d+)", name)
        if part
    ]


def mask_of(name: str, folder: Path) -> Path:
    """The mask of picture `name` in `folder`: the only one there, or the one of its name.

    Raises EaselError where there is none.
    """
    masks = pictures_in(folder, "mask_folder")
    named = [mask for mask in masks if Path(mask).stem == Path(name).stem]
    if len(masks) == 1 or named:
        return folder / (masks[0] if len(masks) == 1 else named[0])
    raise EaselError(f"There is no mask named {Path(name).stem} in {folder}.")


def text_inside(path: Path) -> str:
    """The generation text that the picture at `path` carries; "" where there is none or no such picture."""
    try:
        with open_picture(path.name, read_picture_file(path)) as image:
            return read_texts(image).infotext
    except (OSError, InvalidRequest):
        return ""


def text_beside(path: Path) -> str:
    """What the text file beside the picture at `path` holds, "" without one. Raises EaselError."""
    beside = path.with_suffix(".txt")
    try:
        if beside.stat().st_size > LONGEST_TEXT_FILE:
            raise EaselError(f"{beside.name} is larger than any prompt.")
        return beside.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise EaselError(f"{beside.name} cannot be read as text in UTF-8: {error}.") from error


def store_picture(folder: Path, name: str, file: BinaryIO, most: int) -> str:
    """Write a picture that was sent into `folder`, under `name` or one like it; the name it has got.

    Raises InvalidRequest for a name that no picture has and for more than `most`, EaselError when it cannot
    be written.
    """
    stem, suffix = Path(name.replace("\\", "/")).stem, Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidRequest("name", f"{name!r} has no ending of a picture: {', '.join(sorted(SUFFIXES))}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in folder.iterdir()) >= most:
            raise InvalidRequest("name", f"A batch takes {most} pictures at most; name their folder instead.")
        path = next(path for path in _names_like(folder, stem, suffix) if not path.exists())
        with path.open("xb") as target:
            shutil.copyfileobj(file, target)
    except OSError as error:
        raise EaselError(f"{name} could not be kept in {folder}: {error.strerror or error}.") from error
    return path.name


def _names_like(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    for number in itertools.count():
        yield path_in(folder, stem, f"-{number}{suffix}" if number else suffix)
