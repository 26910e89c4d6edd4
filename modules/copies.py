"""Copies of files that somebody wrote, kept beside them before they are changed."""

import contextlib
from datetime import datetime
from pathlib import Path

from modules.atomic import replace_file

__all__ = ["keep_copy", "kept_name"]


def keep_copy(path: Path, data: bytes, why: str = "original") -> Path:
    """Put `data`, what the file at `path` holds, into a file beside it: `NAME.original-DATE`.

    The result is that file, or the one that has the same already. Raises OSError.
    """
    for kept in path.parent.glob(f"{_escaped(path.name)}.{why}-*"):
        with contextlib.suppress(OSError):
            if kept.stat().st_size == len(data) and kept.read_bytes() == data:
                return kept
    kept = kept_name(path, why)
    replace_file(kept, data)
    return kept


def kept_name(path: Path, why: str) -> Path:
    """The name of such a copy that is made now."""
    return path.with_name(f"{path.name}.{why}-{datetime.now():%Y%m%d-%H%M%S-%f}")


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
