"""The list of tags beside a tagger: which number of its answer means what."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from modules.errors import EaselError

__all__ = ["TagList", "find_tag_list", "read_tag_list"]

RATING_CATEGORY = "9"
RATING_PREFIX = "rating:"
CSV_NAMES, TEXT_NAMES = ("selected_tags.csv", "tags.csv"), ("tags.txt",)


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags in the order of the model's answer; an entry that is no word for prompts (a rating) is
    None.
    """

    tags: tuple[str | None, ...]
    is_csv: bool
    """Whether it is of the kind that WD taggers have, whose pictures are BGR from 0 to 255."""


def find_tag_list(model: Path) -> Path | None:
    """The list of the tagger in the file `model`: of its own name, else the folder's."""
    names = (f"{model.stem}.csv", f"{model.stem}.txt", *CSV_NAMES, *TEXT_NAMES)
    return next((path for name in names if (path := model.with_name(name)).is_file()), None)


def read_tag_list(path: Path) -> TagList:
    """The tags in a CSV file with a column `name`, or in a text file, one a line.

    Raises EaselError for a file that cannot be read or has no such column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EaselError(f"The list of tags {path} cannot be read: {error}. Fetch it again.") from error
    if path.suffix.lower() != ".csv":
        lines = [line.strip() for line in text.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        return TagList(tuple(map(_as_tag, lines)), is_csv=False)
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or "name" not in rows[0]:
        raise EaselError(f"The list of tags {path} has no column named name. Fetch the tagger's own list.")
    tags = (
        None if row.get("category") == RATING_CATEGORY else _as_tag((row["name"] or "").strip())
        for row in rows
    )
    return TagList(tuple(tags), is_csv=True)


def _as_tag(text: str) -> str | None:
    return None if not text or text.startswith(RATING_PREFIX) else text
