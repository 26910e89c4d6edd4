"""The files beside a network, as the field keeps them: `NAME.json` with what a person wrote, `NAME.txt`.

The keys of the JSON are the field's, so that other programs read what is written here. Keys that are not
known stay.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from modules.atomic import replace_file
from modules.copies import keep_copy
from modules.errors import EaselError
from modules.extra_networks.kinds import NetworkKind
from modules.foreign_json import JsonNotRead, parse_json
from modules.foreign_text import decode_foreign, without_escapes

__all__ = ["KEYS", "KEYS_OF_KIND", "Sidecar", "read_sidecar", "read_text", "write_sidecar"]

log = logging.getLogger(__name__)

LARGEST_FILE = 4 << 20
"""Bytes that are read of a file beside a network; a description takes thousands."""

KEYS = {
    "description": "description",
    "sd_version": "sd version",
    "activation_text": "activation text",
    "preferred_weight": "preferred weight",
    "negative_text": "negative text",
    "notes": "notes",
}
"""What a field of `Sidecar` is called in the file."""

KEYS_OF_KIND = {
    NetworkKind.LORA: tuple(KEYS),
    NetworkKind.TEXTUAL_INVERSION: ("description", "notes"),
    NetworkKind.HYPERNETWORKS: ("description", "notes"),
    NetworkKind.CHECKPOINTS: ("description", "notes"),
}
"""The fields that a person edits, by kind."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a person wrote about a network. None: it says nothing, and other sources may speak."""

    description: str | None = None
    sd_version: str = ""
    activation_text: str | None = None
    preferred_weight: float = 0.0
    """0: the setting's."""
    negative_text: str = ""
    notes: str = ""


def read_sidecar(path: Path) -> Sidecar:
    """What stands in `NAME.json`; nothing if it cannot be read, which the log says."""
    try:
        tree = _tree(path)
    except (EaselError, OSError) as error:
        log.warning("%s", error)
        return Sidecar()
    return Sidecar(
        description=_text(tree.get("description")),
        sd_version=_text(tree.get("sd version")) or "",
        activation_text=_text(tree.get("activation text")),
        preferred_weight=_number(tree.get("preferred weight")),
        negative_text=_text(tree.get("negative text")) or "",
        notes=_text(tree.get("notes")) or "",
    )


def write_sidecar(path: Path, values: Mapping[str, Any]) -> None:
    """Put `values`, by the names of `Sidecar`'s fields, into `NAME.json` in one moment; all else in it stays.

    Raises EaselError when the file that is there is no JSON object, which is then left as it is, or when it
    cannot be written.
    """
    try:
        data = _bytes(path) if path.exists() else b""
        tree = _tree_of(path, data) if path.exists() else {}
        if data and data != _written(tree):
            keep_copy(path, data)
        replace_file(path, _written(tree | {KEYS[field]: value for field, value in values.items()}))
    except OSError as error:
        raise EaselError(
            f"{path.name} cannot be written into {path.parent}: {error.strerror or error}."
        ) from error


def _written(tree: Mapping[str, Any]) -> bytes:
    return json.dumps(tree, indent=4, ensure_ascii=False).encode("utf-8", "surrogatepass")


def read_text(path: Path) -> str | None:
    """The text of `NAME.txt`, whatever its encoding; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return without_escapes(decode_foreign(file.read(LARGEST_FILE)).text).strip()
    except OSError:
        return None


def _tree(path: Path) -> dict[str, Any]:
    return _tree_of(path, _bytes(path))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _tree_of(path: Path, data: bytes) -> dict[str, Any]:
    try:
        tree = parse_json(without_escapes(decode_foreign(data).text), path.name)
    except JsonNotRead as error:
        raise EaselError(_no_json(path, str(error).rstrip("."))) from error
    if not isinstance(tree, dict):
        raise EaselError(_no_json(path, "it is not an object with keys"))
    return tree


def _no_json(path: Path, reason: str) -> str:
    return (
        f"{path.name} in {path.parent} cannot be read as a description: {reason}. Mend it or take it away; "
        "until then it is left as it is."
    )


def _text(value: Any) -> str | None:
    """Other programs write numbers or lists where a text belongs."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return None if value is None or isinstance(value, dict) else str(value)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if isfinite(number) else 0.0
