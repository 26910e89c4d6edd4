"""The sizes in a model's config.json, held against the tensors of its files before anything is built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modules.checkpoints import open_tensors
from modules.errors import EaselError
from modules.foreign_json import read_json

__all__ = ["check_sizes"]

LAYERS = re.compile(r"(?:^|_)(?:n_)?(?:layers?|depths?)$")
"""Keys that say how many layers there are: num_hidden_layers, encoder_layers, n_layer, depths."""
WIDTHS = re.compile(
    r"(?:hidden_size|intermediate_size|vocab_size|projection_dim|embed_dim|proj_dim|d_model|ffn_dim|n_embd"
    r"|n_inner|max_position_embeddings|n_positions|num_query_tokens|attention_heads|n_heads?)$"
)
"""Keys whose numbers are sides of a tensor, or divide one."""
NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")
USUAL_LAYERS, USUAL_WIDTH = 64, 1024
"""Up to here nothing is asked: configurations name sizes of parts that a model does not have."""
ALLOWED_LAYERS = 4
"""Times those of the file, likewise."""


def check_sizes(folder: Path) -> None:
    """Raises EaselError for a configuration that wants more layers, or wider ones, than the safetensors files
    of `folder` hold, and for files that cannot be read.
    """
    layers, width = _of_files(folder)
    for key, value in _whole_numbers(read_json(folder / "config.json", f"{folder.name}/config.json")):
        too_deep = LAYERS.search(key) and value > max(USUAL_LAYERS, ALLOWED_LAYERS * layers)
        too_wide = WIDTHS.search(key) and value > max(USUAL_WIDTH, width)
        if too_deep or too_wide:
            raise EaselError(
                f'config.json says "{key}: {str(value)[:20]}", and the model\'s files hold {layers} layers '
                f"that are at most {width} wide. It belongs to another model; fetch it anew."
            )


def _of_files(folder: Path) -> tuple[int, int]:
    """The largest number of a layer in the files, from 1, and the longest side of a tensor."""
    layers = width = 0
    for path in sorted(folder.glob("*.safetensors")):
        with open_tensors(path) as file:
            for name, stored in file.tensors.items():
                layers = max([layers, *(int(number[:9]) + 1 for number in NUMBER.findall(name))])
                width = max([width, *stored.shape])
    return layers, width


def _whole_numbers(tree: Any, key: str = "") -> Iterator[tuple[str, int]]:
    """All whole numbers below `tree` with the names that they stand under. Its depth is bounded."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _whole_numbers(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from _whole_numbers(value, key)
    elif isinstance(tree, int) and not isinstance(tree, bool):
        yield key, tree
