"""Opening a file of tensors, whatever its format; what it is comes from its contents, not from its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modules.checkpoints.foreign import HEAD_BYTES, describe_foreign_file
from modules.checkpoints.safetensors_file import looks_like_safetensors, read_header
from modules.checkpoints.tensor_file import StoredTensor, TensorFile, state_of
from modules.checkpoints.torch_file import looks_like_torch_file, read_torch_index
from modules.errors import NotFound, UnusableFile
from modules.readings import READINGS

__all__ = ["open_tensors"]

WRAPPERS = ("module.", "_orig_mod.")
"""What torch puts before the names of a model that was trained on several devices, or compiled."""


def open_tensors(path: Path) -> TensorFile:
    """Open a safetensors file or a torch file (zip or legacy pickle) without reading its numbers.

    Raises EaselError saying what is wrong with the file, or what it is instead, and LeftAlone for one that
    ended the program before.
    """
    READINGS.begin(path)
    try:
        file = _opened(path)
    except BaseException:
        READINGS.end(path)
        raise
    file.when_closed(lambda: READINGS.end(path))
    return file


def _opened(path: Path) -> TensorFile:
    try:
        state = state_of(path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if looks_like_safetensors(head):
            tensors, metadata = read_header(path)
        elif looks_like_torch_file(head):
            tensors, metadata = read_torch_index(path), {}
        else:
            raise UnusableFile(describe_foreign_file(path, head))
        return TensorFile(path, _unwrapped(tensors), metadata, state)
    except FileNotFoundError as error:
        raise NotFound(
            f"{path.name} is no longer in {path.parent}: it was deleted, moved or renamed. Choose "
            "another file."
        ) from error
    except OSError as error:
        raise UnusableFile(
            f"{path.name} cannot be opened: {error.strerror or error}. Check {path.parent}."
        ) from error


def _unwrapped(tensors: Mapping[str, StoredTensor]) -> Mapping[str, StoredTensor]:
    """The tensors under the names that they have without a wrapper around the whole model."""
    for wrapper in WRAPPERS * 2:
        if tensors and all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): each for name, each in tensors.items()}
    return tensors
