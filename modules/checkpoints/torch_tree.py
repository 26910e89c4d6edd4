"""Small torch files that are no flat list of tensors: embeddings, hypernetworks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from modules.checkpoints.pickles import StorageView
from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.checkpoints.torch_file import locate, read_torch_tree
from modules.errors import EaselError

__all__ = ["read_tree"]

DEEPEST = 8
"""Levels of lists and dictionaries; the files that are meant have four."""


def read_tree(path: Path) -> Any:
    """What `torch.load` would give: dictionaries, lists and plain values as they are, with the tensors in
    memory.

    What is neither is left out (None). Nothing that the file names is imported or run. Raises EaselError as
    `open_tensors` does.
    """
    try:
        tree, starts = read_torch_tree(path)
        found: dict[str, StoredTensor] = {}
        shape = _numbered(path, tree, starts, found)
        with TensorFile(path, found, {}, mapped=False) as file:
            return _filled(shape, file)
    except OSError as error:
        raise EaselError(
            f"{path.name} cannot be opened: {error.strerror or error}. Check {path.parent}."
        ) from error


class _Place(str):
    """The name under which a tensor of the tree is read."""

    __slots__ = ()


def _numbered(
    path: Path,
    node: Any,
    starts: Mapping[str, tuple[int, int]],
    found: dict[str, StoredTensor],
    level: int = 0,
) -> Any:
    """The tree with a name in the place of each tensor, which is put into `found`."""
    if isinstance(node, StorageView):
        place = _Place(len(found))
        found[place] = locate(path, place, node, starts)
        return place
    if level < DEEPEST and isinstance(node, dict):
        return {
            key: _numbered(path, each, starts, found, level + 1)
            for key, each in node.items()
            if isinstance(key, str | int)
        }
    if level < DEEPEST and isinstance(node, list | tuple):
        return [_numbered(path, each, starts, found, level + 1) for each in node]
    return node if isinstance(node, str | int | float | bool) else None


def _filled(node: Any, file: TensorFile) -> Any:
    if isinstance(node, _Place):
        tensor: Tensor = file.read(node)
        return tensor
    if isinstance(node, dict):
        return {key: _filled(each, file) for key, each in node.items()}
    return [_filled(each, file) for each in node] if isinstance(node, list) else node
