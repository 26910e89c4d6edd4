"""Embedding files in all the forms of the field."""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modules.adapters.embeddings.in_pictures import read_picture_tree
from modules.checkpoints import TensorFile, encodable, open_tensors, read_tree, told_kind
from modules.errors import EaselError
from modules.readings import READINGS

__all__ = ["EMBEDDING_ENDINGS", "Embedding", "bundled_embeddings", "read_embedding"]

log = logging.getLogger(__name__)

PICTURES = (".png", ".webp", ".jxl", ".avif")
EMBEDDING_ENDINGS = (".pt", ".bin", ".safetensors", *PICTURES)
TOWERS = ("clip_l", "clip_g")
BUNDLE, PARAMETERS = "bundle_emb", "string_to_param"
ENDS = (PARAMETERS, *TOWERS)
"""How the names of bundled embeddings' tensors end, or go on."""
CHECKSUM_FACTOR, CHECKSUM_NUMBERS = 281, 997


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Learnt vectors, (N, D) for each text encoder of the family, and what the training program wrote of
    them.
    """

    vectors: tuple[Tensor, ...]
    step: int | None = None
    checkpoint: str | None = None
    checkpoint_name: str | None = None

    @property
    def count(self) -> int:
        """How many places it takes in a prompt."""
        return int(self.vectors[0].shape[0])

    @property
    def width(self) -> int:
        """Numbers of a vector, of all text encoders together."""
        return sum(int(each.shape[1]) for each in self.vectors)

    @property
    def checksum(self) -> str:
        """The field's own short checksum: 4 hex digits over the numbers times 100 (BEHAVIOUR, section 15)."""
        mixed = 0
        for number in (self.vectors[0].flatten() * 100).int().tolist():
            mixed = ((mixed * CHECKSUM_FACTOR) ^ (number * CHECKSUM_NUMBERS)) & 0xFFFFFFFF
        return f"{mixed & 0xFFFF:04x}"


def read_embedding(path: Path) -> Embedding | None:
    """The embedding in `path`; None for a picture that holds none.

    Raises EaselError for a file that cannot be read or holds something else.
    """
    try:
        tree = _tree(path)
    except (ValueError, OSError, zlib.error) as error:
        raise EaselError(f"The embedding {path.name} cannot be read: {error}.") from error
    if tree is None:
        return None
    return _embedding_of(tree, path.name)


def bundled_embeddings(file: TensorFile) -> dict[str, Embedding]:
    """The embeddings that a network's file brings along, by the words that they stand for:
    `bundle_emb.WORD.string_to_param.*`, or a tensor for each text encoder. Damaged ones are left out.
    """
    trees: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name in file.tensors:
        start, _, rest = name.partition(".")
        if start != BUNDLE or "." not in rest:
            continue
        # A word may hold points itself: what is known is how names end.
        word, what = next((parts for end in ENDS if (parts := _parted(rest, end))), rest.rsplit(".", 1))
        if what.startswith(PARAMETERS):
            trees[word].setdefault(PARAMETERS, {})[what] = file.read(name)
        else:
            trees[word][what] = file.read(name)
    found = {}
    for word, tree in trees.items():
        try:
            found[word] = _embedding_of(tree, f"{file.path.name}/{word}")
        except EaselError as error:
            log.warning("%s", error)
    return found


def _parted(name: str, end: str) -> tuple[str, str] | None:
    word, found, rest = name.rpartition(f".{end}")
    return (word, end + rest) if found and word else None


def _embedding_of(tree: Any, name: str) -> Embedding:
    found = _vectors(tree)
    if found is None:
        raise EaselError(_no_embedding(tree, name))
    vectors = tuple(each.unsqueeze(0) if each.dim() == 1 else each for each in found)
    if (
        any(each.dim() != 2 or not each.shape[0] for each in vectors)
        or len({len(each) for each in vectors}) != 1
    ):
        raise EaselError(f"The vectors in {name} have shapes that no embedding has.")
    if not all(bool(torch.isfinite(each.float()).all()) for each in vectors):
        raise EaselError(
            f"The embedding {name} is damaged: it holds numbers that are none (NaN). Fetch it again."
        )
    facts = tree if isinstance(tree, dict) else {}
    return Embedding(
        tuple(each.float() for each in vectors),
        step=_kind(facts.get("step"), int),
        checkpoint=_kind(facts.get("sd_checkpoint"), str),
        checkpoint_name=_kind(facts.get("sd_checkpoint_name"), str),
    )


def _no_embedding(tree: Any, name: str) -> str:
    kind = told_kind([str(key) for key in tree]) if isinstance(tree, Mapping) else ""
    if kind and "embedding" not in kind:
        return f"{name} holds no embedding: it is {kind}"
    return f"{name} holds no embedding, or several in one file."


def _tree(path: Path) -> Any:
    ending = path.suffix.lower()
    if ending in PICTURES:
        with READINGS.reading(path):
            return read_picture_tree(path)
    if ending == ".safetensors":
        with open_tensors(path) as file:
            return {name: file.read(name) for name in file.tensors}
    return read_tree(path)


def _vectors(tree: Any) -> tuple[Tensor, ...] | None:
    if not isinstance(tree, Mapping):
        return None
    named = tree.get("string_to_param")
    if isinstance(named, Mapping):
        tensors = [each for each in named.values() if isinstance(each, Tensor)]
        return (tensors[0],) if len(tensors) == 1 else None
    if all(isinstance(tree.get(name), Tensor) for name in TOWERS):
        return tuple(tree[name] for name in TOWERS)
    tensors = [each for each in tree.values() if isinstance(each, Tensor)]
    return (tensors[0],) if len(tensors) == 1 else None


def _kind(value: Any, kind: type) -> Any:
    if kind is str and isinstance(value, str):
        return encodable(value)
    return value if isinstance(value, kind) else None
