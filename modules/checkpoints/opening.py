"""Opening a file of tensors, whatever its format; what it is comes from its contents, not from its name."""

from __future__ import annotations

from pathlib import Path

from modules.checkpoints.foreign import describe_foreign_file
from modules.checkpoints.safetensors_file import looks_like_safetensors, read_header
from modules.checkpoints.tensor_file import TensorFile, state_of
from modules.checkpoints.torch_file import looks_like_torch_file, read_torch_index
from modules.errors import NotFound, UnusableFile

__all__ = ["open_tensors"]

HEAD_BYTES = 512


def open_tensors(path: Path) -> TensorFile:
    """Open a safetensors file or a torch file (zip or legacy pickle) without reading its numbers.

    Raises EaselError saying what is wrong with the file, or what it is instead.
    """
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
        return TensorFile(path, tensors, metadata, state)
    except FileNotFoundError as error:
        raise NotFound(
            f"{path.name} is no longer in {path.parent}: it was deleted, moved or renamed. Choose "
            "another file."
        ) from error
    except OSError as error:
        raise UnusableFile(
            f"{path.name} cannot be opened: {error.strerror or error}. Check {path.parent}."
        ) from error
