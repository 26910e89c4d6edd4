"""Names of tensors made alike: programs have written the same layers of a model under several names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from modules.checkpoints import StoredTensor
from modules.merging.converting import ema_name
from modules.merging.parents import Index

__all__ = ["canonical", "notes_on_names", "with_averages"]

UNET = "model.diffusion_model."
WRAPPERS = ("module.", "model.", "state_dict.", "_orig_mod.", "pipeline.")
"""What trainers put before all names."""
DEEPEST = 3
TEXT_MODEL = re.compile(
    r"^((?:cond_stage_model|conditioner\.embedders\.\d+)\.transformer\.)(?=(?:embeddings|encoder|final_layer_norm)\.)"
)
"""Where the first versions of transformers left `text_model.` out."""


def canonical(index: Index) -> Index:
    """The file with its tensors under the names that most files have: without what a trainer's wrappers put
    before them, and with the newer layout of the text encoder.
    """
    start = _wrapper(index.tensors)
    renamed: dict[str, StoredTensor] = {}
    for name, stored in index.tensors.items():
        plain = TEXT_MODEL.sub(r"\1text_model.", name.removeprefix(start))
        # Where a file has both, each keeps its own.
        renamed[name if plain in index.tensors else plain] = stored
    return replace(index, tensors=renamed)


def with_averages(index: Index, wanted: Collection[str]) -> Index:
    """The file with its running averages (EMA) under the names of the weights where it has none of these, as
    checkpoints for drawing alone are shared.
    """
    averages = {
        name: index.tensors[average]
        for name in wanted
        if name not in index.tensors and (average := ema_name(name)) in index.tensors
    }
    return replace(index, tensors={**index.tensors, **averages}) if averages else index


def notes_on_names(
    found: Mapping[str, Index], plain: Mapping[str, Index], used: Mapping[str, Index]
) -> Iterator[str]:
    """What a person is told about files whose names were made alike: as `found`, `canonical`, and as `used`
    with averages.
    """
    for letter, index in found.items():
        renamed = len(index.tensors.keys() - plain[letter].tensors.keys())
        if renamed:
            yield f"{renamed} tensors of {letter} have names of another layout; they are matched by it."
        if averages := len(used[letter].tensors) - len(plain[letter].tensors):
            yield f"{letter} lacks {averages} weights; their running averages (EMA), which it has, are used."


def _wrapper(names: Collection[str]) -> str:
    """What stands before all names of a checkpoint's UNet; empty: nothing."""
    start = ""
    for _ in range(DEEPEST):
        if any(name.startswith(f"{start}{UNET}") for name in names):
            return start
        added = next(
            (each for each in WRAPPERS if any(name.startswith(start + each) for name in names)), None
        )
        if added is None:
            return ""
        start += added
    return ""
