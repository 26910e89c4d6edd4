"""What the result is called, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from modules.errors import InvalidRequest
from modules.merging.request import BakedLora, FileFormat

__all__ = ["difference_name", "formula_name", "result_path", "sum_name", "with_loras"]

LONGEST_STEM = 180
"""Bytes; file systems take 255 for a whole name, and a temporary one is longer."""
UNUSABLE = re.compile(r'[<>:"|?*\\\x00-\x1f]')
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""Devices of Windows."""
KNOWN_ENDINGS = tuple(f".{each}" for each in FileFormat)


def sum_name(multiplier: float, a: str, b: str) -> str:
    """As the field's programs call a weighted sum."""
    return f"{round(1 - multiplier, 2)}({a}) + {round(multiplier, 2)}({b})"


def difference_name(multiplier: float, a: str, b: str, c: str) -> str:
    """As they call an added difference."""
    return f"{a} + {round(multiplier, 2)}({b} - {c})"


def formula_name(factors: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Likewise for any factors; `names` are those of the models."""
    terms = [(round(factor, 2), names[letter]) for letter, factor in factors.items()]
    first, *rest = [f"{abs(factor)}({name})" for factor, name in terms]
    signs = ["-" if factor < 0 else "+" for factor, _ in terms]
    start = f"-{first}" if signs[0] == "-" else first
    return start + "".join(f" {sign} {term}" for sign, term in zip(signs[1:], rest, strict=True))


def with_loras(name: str, loras: tuple[BakedLora, ...]) -> str:
    """The name of a model with networks in it."""
    return name + "".join(f" + {round(lora.unet, 2)}({lora.name})" for lora in loras)


def result_path(folder: Path, custom: str, made_up: str, kind: str, file_format: FileFormat) -> Path:
    """The file in `folder` (or below it) that is written: of the custom name, else of the one made up.

    kind: what stands before the ending: "", ".inpainting" or ".instruct-pix2pix". Raises InvalidRequest for
    `custom_name` where no file can have that name, or it would lie elsewhere.
    """
    stem = custom.strip()
    ending = next((each for each in KNOWN_ENDINGS if stem.lower().endswith(each)), "")
    stem = (stem[: len(stem) - len(ending)].rstrip() if ending else stem) or _shortened(_usable(made_up))
    parts = stem.split("/")
    for part in parts:
        _check(part, custom)
    if f"{parts[-1]}{kind}".lower().endswith(".vae"):
        raise _refused(custom, "files called so are taken for a VAE")
    path = folder.joinpath(*parts[:-1], f"{parts[-1]}{kind}.{file_format}")
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise _refused(custom, "it leads out of the folder of checkpoints")
    return path


def _usable(name: str) -> str:
    """A name made of names of models, whose folders stand in it as "_"."""
    return UNUSABLE.sub("_", name.replace("/", "_")).strip(". ")


def _shortened(name: str) -> str:
    return name.encode()[:LONGEST_STEM].decode(errors="ignore").rstrip(". ")


def _check(part: str, custom: str) -> None:
    if not part.strip() or part in (".", "..") or part.startswith("."):
        raise _refused(custom, "a name or the name of a folder in it is empty or begins with a full stop")
    if found := UNUSABLE.search(part):
        raise _refused(custom, f"no file can have {found[0]!r} in its name on every system")
    if part != part.strip() or part.endswith("."):
        raise _refused(custom, "it begins or ends with a space or a full stop")
    if RESERVED.fullmatch(part):
        raise _refused(custom, "Windows keeps that name for itself")
    if len(part.encode()) > LONGEST_STEM:
        raise _refused(custom, f"it is longer than {LONGEST_STEM} bytes")


def _refused(custom: str, reason: str) -> InvalidRequest:
    return InvalidRequest(
        "custom_name", f'The result cannot be called "{custom[:60]}": {reason}. Give it another name.'
    )
