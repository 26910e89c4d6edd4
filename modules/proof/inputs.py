"""The pictures that a picture was drawn from, found again by their contents."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modules.errors import NotFound
from modules.generation import InputFiles, PictureRecord

__all__ = ["Source", "find_inputs"]

Source = Path | bytes
"""A file, a folder of files, or the contents of a file."""

MOST_FILES = 5000
LARGEST_FILE = 300_000_000
SHOWN_DIGITS = 10
SEVERAL = "init_images"


def find_inputs(record: PictureRecord, kept: InputFiles, sources: Sequence[Source]) -> dict[str, Any]:
    """The request's fields with the pictures of `record` in base64: those that are `kept`, else from
    `sources`.

    Raises NotFound with the first that is missing.
    """
    found = {each.sha256: kept.find(each.sha256) for each in record.inputs}
    for data in _contents(sources):
        if all(found.values()):
            break
        digest = hashlib.sha256(data).hexdigest()
        if digest in found:
            found[digest] = data
    values: dict[str, Any] = {SEVERAL: []}
    for each in record.inputs:
        content = found[each.sha256]
        if content is None:
            raise NotFound(
                f"This picture was drawn from another picture ({each.field}) whose file has the sha256 "
                f"{each.sha256[:SHOWN_DIGITS]}..., and that is neither kept here nor among the files that "
                "were given. Give it, as --source on the command line."
            )
        text = base64.b64encode(content).decode()
        if each.field == SEVERAL:
            values[SEVERAL].append(text)
        else:
            values[each.field] = text
    if not values[SEVERAL]:
        raise NotFound("This picture was drawn from another picture, and its record does not say which.")
    return values


def _contents(sources: Sequence[Source]) -> Iterator[bytes]:
    """What the files hold, one after another; those that cannot be read are passed over."""
    for source in sources:
        if isinstance(source, bytes):
            yield source
            continue
        for path in _files(source):
            try:
                if path.stat().st_size <= LARGEST_FILE:
                    yield path.read_bytes()
            except OSError:
                continue


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.is_file())[:MOST_FILES]
