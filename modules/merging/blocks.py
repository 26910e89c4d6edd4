"""The blocks of a UNet, for which a merge may have multipliers of their own.

The field's programs number them by the original layout's names: `model.diffusion_model.input_blocks.4...` is
IN04. As there, the embedding of the time belongs to the first block and the last convolution to the last one;
the text encoders, the VAE and everything else are BASE.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection

from modules.errors import InvalidRequest

__all__ = ["BASE", "block_names", "blocks_of", "read_block_weights"]

BASE = "BASE"
MIDDLE = "M00"
UNET = "model.diffusion_model."
SIDES = {"input_blocks": "IN", "output_blocks": "OUT"}
NUMBERED = re.compile(rf"{re.escape(UNET)}(input_blocks|output_blocks)\.(\d+)\.")
FIRST_PARTS = (f"{UNET}time_embed.", f"{UNET}label_emb.")
LAST_PART = f"{UNET}out."

SD_BLOCKS, XL_BLOCKS = 12, 9
"""On each side, in Stable Diffusion 1 and 2, and in XL."""
ASSIGNMENT = re.compile(r"([A-Za-z]+\d*)\s*[=:]\s*([^\s,;]+)")


def blocks_of(names: Collection[str]) -> dict[str, str]:
    """The block of each tensor, by the tensors' names in the original layout."""
    last = max((int(match[2]) for match in map(NUMBERED.match, names) if match), default=0)
    return {name: _block_of(name, f"OUT{last:02}") for name in names}


def _block_of(name: str, last: str) -> str:
    if match := NUMBERED.match(name):
        return f"{SIDES[match[1]]}{int(match[2]):02}"
    if name.startswith(f"{UNET}middle_block."):
        return MIDDLE
    if name.startswith(FIRST_PARTS):
        return "IN00"
    return last if name.startswith(LAST_PART) else BASE


def block_names(blocks: int = SD_BLOCKS) -> list[str]:
    """BASE and all blocks in their order, with so many of them on each side."""
    sides = [[f"{side}{number:02}" for number in range(blocks)] for side in SIDES.values()]
    return [BASE, *sides[0], MIDDLE, *sides[1]]


def read_block_weights(text: str) -> dict[str, float]:
    """The multipliers that a person writes: `IN04=0.5, OUT03=1`, or the row of numbers that is passed around
    in the field, 26 for Stable Diffusion 1 and 2, 20 for XL, or one less, without BASE.

    Raises InvalidRequest for `block_weights`.
    """
    if "=" not in text and ":" not in text:
        return _read_row(text)
    rest = ASSIGNMENT.sub("", text).strip(" ,;\n\t\r")
    if rest:
        raise _refused(f'"{rest[:40]}" is no multiplier of a block')
    return {match[1].upper(): _number(match[2]) for match in ASSIGNMENT.finditer(text)}


def _read_row(text: str) -> dict[str, float]:
    numbers = [_number(word) for word in re.split(r"[\s,;]+", text.strip()) if word]
    rows = [block_names(count)[start:] for count in (SD_BLOCKS, XL_BLOCKS) for start in (0, 1)]
    fitting = next((names for names in rows if len(names) == len(numbers)), None)
    if numbers and fitting is None:
        raise _refused(f"{len(numbers)} numbers are given, and 26, 25, 20 or 19 have a meaning")
    return dict(zip(fitting or [], numbers, strict=True))


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        raise _refused(f'"{word[:40]}" is no number') from None
    if not math.isfinite(number):
        raise _refused(f'"{word[:40]}" is no number that can be multiplied by')
    return number


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(
        "block_weights",
        f"The blocks' multipliers cannot be used: {reason}. Write them as IN04=0.5, M00=1, BASE=0, or as a "
        "row of 26 numbers (20 for Stable Diffusion XL) with commas.",
    )
