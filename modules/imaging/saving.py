"""Saving pictures: where, under which name, and so that nothing is ever overwritten or left half written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from modules.copies import keep_copy
from modules.errors import EaselError
from modules.filenames import EVERYWHERE, NameRules, path_in, safe_folder
from modules.imaging.encoding import Encoded, PictureFormat, SaveFormat, encode_picture
from modules.imaging.numbering import numbered
from modules.imaging.patterns import PictureFacts, fill_pattern
from modules.imaging.writing import publish, remove_unfinished, reserved_number, temporary_file

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = [
    "Announcement",
    "SaveOptions",
    "SavePlace",
    "SavedPicture",
    "SmallCopy",
    "complete_files_beside",
    "save_picture",
]

Announcement = Callable[[Path, str], None]
"""Told a path and the sha256 of the file that is about to appear there."""


class _Appear(Protocol):
    """Gives the finished file a name; False where that is taken."""

    def __call__(self, path: Path, replaces: bool = False) -> bool: ...


GRID = "grid"
PARAMETERS = b"Steps: "
"""Stands in every generation text."""
MOST_ATTEMPTS = 10_000
NO_FREE_NAME = f"no free name was found in {MOST_ATTEMPTS} attempts"


@dataclass(frozen=True, slots=True)
class SmallCopy:
    """When a JPEG copy is written beside a picture: past so many bytes, or pixels a side, and to these."""

    threshold_bytes: int
    longest_side: int


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """How pictures are named and written. The patterns' tags: `describe_patterns()`."""

    format: SaveFormat = field(default_factory=SaveFormat)
    name_pattern: str = "[seed]"
    folder_pattern: str = "[date]"
    """Empty: no sub-folders."""
    most_prompt_words: int = 8
    add_number: bool = True
    replaces: bool = True
    """Without numbers, whether a new picture takes the place of one of the same name."""
    text_file: bool = False
    small_copy: SmallCopy | None = None
    names: NameRules = EVERYWHERE

    @classmethod
    def from_options(cls, options: Options, grid: bool = False, names: NameRules = EVERYWHERE) -> SaveOptions:
        """From the settings for pictures, or for grids, and what names may be; raises `InvalidRequest` for an
        unknown format.
        """
        in_folders = options.grid_save_to_dirs if grid else options.save_to_dirs
        named = options.samples_filename_pattern or ("[seed]" if in_folders else "[seed]-[prompt_spaces]")
        small_copy = SmallCopy(
            int(options.img_downscale_threshold * 2**20), round(options.target_side_length)
        )
        return cls(
            format=SaveFormat.from_options(options, grid),
            name_pattern="" if grid and not options.grid_extended_filename else named,
            folder_pattern=(options.directories_filename_pattern or "[prompt_words]") if in_folders else "",
            most_prompt_words=options.directories_max_prompt_words,
            add_number=options.save_images_add_number,
            replaces=options.save_images_replace_action == "Replace",
            text_file=options.save_txt,
            small_copy=small_copy if options.export_for_4chan else None,
            names=names,
        )


@dataclass(frozen=True, slots=True)
class SavePlace:
    """Where a picture goes: a folder of its kind, what its name can tell, and the fixed parts of the name.

    prefix stands before the number (`grid-0007.png`), suffix at the end (`-before-highres-fix`).
    """

    folder: Path
    facts: PictureFacts
    prefix: str = ""
    suffix: str = ""

    @classmethod
    def for_grid(cls, folder: Path, facts: PictureFacts) -> SavePlace:
        """The place of a grid."""
        return cls(folder, facts, prefix=GRID)


@dataclass(frozen=True, slots=True)
class SavedPicture:
    """The files that were written; all of them are complete."""

    path: Path
    text_file: Path | None = None
    small_copy: Path | None = None


def save_picture(
    image: Image.Image,
    place: SavePlace,
    infotext: str,
    options: SaveOptions,
    *,
    record: str | None = None,
    postprocessing: str = "",
    about_to_appear: Announcement = lambda path, digest: None,
) -> SavedPicture:
    """Write the picture, its text, its `record` (JSON text) and what was done to it afterwards inside, under
    a name of its own.

    The file appears under its name only when it is complete, and takes no other file's place, even while
    another program writes into the same folder. A text too long for the format goes into a .txt file.
    `about_to_appear` is told the path and the sha256 of the file's bytes just before it appears there; when
    the name was taken meanwhile, it is told again. Raises `EaselError` when the picture cannot be written
    (disk full, no permission); then no part of it is left behind.
    """
    names = options.names
    facts = replace(place.facts, image=image, most_prompt_words=options.most_prompt_words, names=names)
    folder = place.folder / safe_folder(fill_pattern(options.folder_pattern, facts), names)
    decoration = fill_pattern(options.name_pattern, facts)
    encoded = encode_picture(image, infotext, options.format, record, postprocessing)
    digest = hashlib.sha256(encoded.data).hexdigest()
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_file(folder, encoded.data) as temporary:

            def appear(path: Path, replaces: bool = False) -> bool:
                about_to_appear(path, digest)
                return bool(temporary.replace(path)) if replaces else publish(temporary, path)

            path = _publish_picture(appear, folder, place, decoration, f".{encoded.format}", options)
        return SavedPicture(
            path,
            _save_text(path, infotext) if infotext and (options.text_file or encoded.text_left_out) else None,
            _save_small_copy(path, image, infotext, encoded, options),
        )


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system says into a sentence."""
    try:
        yield
    except OSError as error:
        raise EaselError(
            f"The picture could not be saved in {folder}: {error.strerror or error}. Make room there, or "
            "choose another folder in the settings, under Paths for saving."
        ) from error


def _publish_picture(
    appear: _Appear, folder: Path, place: SavePlace, decoration: str, extension: str, options: SaveOptions
) -> Path:
    """Give the finished file its name: the first that is free of those in question."""
    if decoration and not options.add_number and options.replaces:
        remove_unfinished(folder)
        path = path_in(folder, decoration, f"{place.suffix}{extension}", options.names)
        appear(path, replaces=True)
        return path
    if options.add_number or not decoration:
        return _publish_numbered(appear, folder, place, decoration, extension, options)
    return _publish_with_suffix(appear, folder, f"{decoration}{place.suffix}", extension, options)


def _publish_numbered(
    appear: _Appear, folder: Path, place: SavePlace, decoration: str, extension: str, options: SaveOptions
) -> Path:
    """`00012-DECORATION.png`, `grid-0007.png`: under the next number."""
    for _ in range(MOST_ATTEMPTS):
        with reserved_number(folder, place.prefix) as number:
            stem = "-".join(filter(None, (numbered(number, place.prefix), decoration)))
            path = path_in(folder, stem, f"{place.suffix}{extension}", options.names)
            if appear(path):
                return path
    raise OSError(errno.EEXIST, NO_FREE_NAME)


def _publish_with_suffix(
    appear: _Appear, folder: Path, stem: str, extension: str, options: SaveOptions
) -> Path:
    """`STEM.png`, `STEM-1.png`, `STEM-2.png`: the first that is free."""
    remove_unfinished(folder)
    for number in range(MOST_ATTEMPTS):
        ending = f"-{number}{extension}" if number else extension
        path = path_in(folder, stem, ending, options.names)
        if appear(path):
            return path
    raise OSError(errno.EEXIST, NO_FREE_NAME)


def complete_files_beside(path: Path, infotext: str, options: SaveOptions) -> None:
    """Write the text file and the small copy beside a saved picture where they belong and are missing.

    Raises `OSError`, and `EaselError` for a picture that cannot be encoded.
    """
    with Image.open(path) as image:
        image.load()
    encoded = encode_picture(image, infotext, options.format)
    if infotext and (options.text_file or encoded.text_left_out) and not path.with_suffix(".txt").exists():
        _save_text(path, infotext)
    _save_small_copy(path, image, infotext, encoded, options)


def _save_text(picture: Path, infotext: str) -> Path:
    """The generation text beside the picture, in a file of the same name."""
    path = picture.with_suffix(".txt")
    _keep_caption(path)
    with temporary_file(picture.parent, f"{infotext}\n".encode(errors="replace")) as temporary:
        temporary.replace(path)
    return path


def _keep_caption(path: Path) -> None:
    """Keep a copy of what stands in the text's place, unless it is such a text: somebody wrote it."""
    with contextlib.suppress(FileNotFoundError):
        before = path.read_bytes()
        if PARAMETERS not in before:
            keep_copy(path, before)


def _save_small_copy(
    picture: Path, image: Image.Image, infotext: str, encoded: Encoded, options: SaveOptions
) -> Path | None:
    """A JPEG of bounded size beside a picture that is too large for most uploads; the record stays with the
    picture.
    """
    bound = options.small_copy
    if bound is None:
        return None
    too_large = max(image.size) > bound.longest_side
    if not too_large and len(encoded.data) <= bound.threshold_bytes:
        return None
    if too_large:
        scale = bound.longest_side / max(image.size)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        image = image.resize(size, Image.Resampling.LANCZOS)
    copy = encode_picture(image, infotext, replace(options.format, format=PictureFormat.JPEG))
    path = picture.with_suffix(".jpg")
    if path == picture:
        path = path_in(picture.parent, picture.stem, "-small.jpg", options.names)
    with temporary_file(picture.parent, copy.data) as temporary:
        return path if publish(temporary, path) else None
