"""Small torch files that are no flat list of tensors: embeddings, hypernetworks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.pickles import StorageView, damaged
from modules.checkpoints.tensor_file import StoredTensor, TensorFile, state_of
from modules.checkpoints.torch_file import locate, read_torch_tree, refuse_inflation
from modules.errors import UnusableFile
from modules.readings import READINGS

__all__ = ["read_tree"]

DEEPEST = 8
"""Levels of lists and dictionaries; the files that are meant have four."""
MOST_NODES = 100_000
"""Values of all levels; the files that are meant have some hundreds. A pickle names one list many times for a
few bytes."""


def read_tree(path: Path) -> Any:
    """What `torch.load` would give: dictionaries, lists and plain values as they are, with the tensors in
    memory.

    What is neither is left out (None). Nothing that the file names is imported or run. Raises EaselError as
    `open_tensors` does.
    """
    try:
        with READINGS.reading(path):
            return _read(path)
    except OSError as error:
        raise UnusableFile(
            f"{path.name} cannot be opened: {error.strerror or error}. Check {path.parent}."
        ) from error


def _read(path: Path) -> Any:
    state = state_of(path)
    tree, starts = read_torch_tree(path)
    numbering = _Numbering(path, starts)
    shape = numbering.numbered(tree)
    refuse_inflation(path, numbering.found.values())
    with TensorFile(path, numbering.found, {}, state) as file:
        return _filled(shape, file)


class _Place(str):
    """The name under which a tensor of the tree is read."""

    __slots__ = ()


class _Numbering:
    """Puts names in the places of tensors, and keeps where these lie."""

    def __init__(self, path: Path, starts: Mapping[str, tuple[int, int]]) -> None:
        self._path, self._starts, self._nodes = path, starts, 0
        self.found: dict[str, StoredTensor] = {}

    def numbered(self, node: Any, level: int = 0) -> Any:
        """The tree below `node` with names for its tensors. Raises EaselError for one without end."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise damaged(self._path, "it holds more values than any file of its kind")
        if isinstance(node, StorageView):
            place = _Place(len(self.found))
            self.found[place] = locate(self._path, place, node, self._starts)
            return place
        if level < DEEPEST and isinstance(node, dict):
            return {
                encodable(key) if isinstance(key, str) else key: self.numbered(each, level + 1)
                for key, each in node.items()
                if isinstance(key, str | int)
            }
        if level < DEEPEST and isinstance(node, list | tuple):
            return [self.numbered(each, level + 1) for each in node]
        if isinstance(node, str):
            return encodable(node)
        return node if isinstance(node, int | float | bool) else None


def _filled(node: Any, file: TensorFile) -> Any:
    if isinstance(node, _Place):
        tensor: Tensor = file.read(node)
        return tensor
    if isinstance(node, dict):
        return {key: _filled(each, file) for key, each in node.items()}
    return [_filled(each, file) for each in node] if isinstance(node, list) else node
