"""The files that a merge starts from: which they are, and what tensors they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modules.adapters import AdapterShelf
from modules.checkpoints import (
    CheckpointFile,
    CheckpointShelf,
    HashedFile,
    StoredTensor,
    VaeShelf,
    open_tensors,
)
from modules.errors import InvalidRequest, UnusableFile
from modules.merging.formula import is_model_name, names_in_formula
from modules.merging.plan import Parent
from modules.merging.request import Interpolation, MergeRequest

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["Index", "MergeShelves", "chosen_models", "read_index"]

NEEDED = {
    Interpolation.NONE: "A",
    Interpolation.WEIGHTED_SUM: "AB",
    Interpolation.ADD_DIFFERENCE: "ABC",
}
FIELDS = {"A": "primary", "B": "secondary", "C": "tertiary"}
SCALE = ".scale_weight"
"""Ends the name of the number that all numbers of a layer, in 8 bits, are to be multiplied by."""


@dataclass(frozen=True, slots=True)
class MergeShelves:
    """Where names are looked up, and where the result goes."""

    checkpoints: CheckpointShelf
    vaes: VaeShelf
    networks: AdapterShelf
    folders: Folders


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """A file's tensors and metadata, read once; the file is not open."""

    parent: Parent
    tensors: Mapping[str, StoredTensor]
    metadata: Mapping[str, str]


def chosen_models(request: MergeRequest, shelf: CheckpointShelf) -> dict[str, CheckpointFile]:
    """The models that the merge uses, by their letters in the request: A, B, C, then further ones.

    Raises InvalidRequest for one that is needed and not named, NotFound for one that does not exist.
    """
    named = {"A": request.primary, "B": request.secondary, "C": request.tertiary}
    named |= _further(request)
    if request.interp_method is Interpolation.FORMULA:
        used = [name for name in named if name in names_in_formula(request.formula) and named[name]]
    else:
        used = list(NEEDED[request.interp_method])
    for letter in used:
        if not named[letter]:
            raise InvalidRequest(
                FIELDS[letter],
                f"{request.interp_method} needs model {letter}, and none is chosen. Choose one, or another "
                "method.",
            )
    return {letter: shelf.find(str(named[letter])) for letter in used}


def _further(request: MergeRequest) -> dict[str, str]:
    for name in request.models:
        if not is_model_name(name) or name in FIELDS:
            raise InvalidRequest(
                "models",
                f'No further model can be called "{name[:40]}" in the formula: A, B, C and m are taken, and '
                "others are letters and digits, a letter first, such as D.",
            )
    return request.models


def read_index(file: HashedFile, name: str) -> Index:
    """What is in a file, which sentences call `name`. Raises EaselError for one that cannot be read, and for
    a folder.
    """
    if file.path.is_dir():
        raise UnusableFile(
            f"{name} is a folder in diffusers' layout; what is merged and converted are single files."
        )
    with open_tensors(file.path) as opened:
        if any(each.endswith(SCALE) for each in opened.tensors):
            raise UnusableFile(
                f"{name} keeps its numbers in 8 bits with a scale a layer, so they cannot be merged or "
                "converted as they are. Fetch the model in half precision."
            )
        state = file.path.stat()
        parent = Parent(file, name, state.st_size, state.st_mtime_ns)
        return Index(parent, opened.tensors, opened.metadata)
