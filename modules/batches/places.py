"""The folders of a batch: where they are, and whether who asks may name them."""

from dataclasses import dataclass
from pathlib import Path

from modules.batches.plan import BatchPlan
from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.folders import Folders

__all__ = ["BatchPlaces", "places_of"]


@dataclass(frozen=True)
class BatchPlaces:
    """Absolute paths; None where the plan names none."""

    pictures: Path
    output: Path | None
    masks: Path | None
    texts: Path | None


def places_of(plan: BatchPlan, folders: Folders, flags: Flags, uploads: Path | None = None) -> BatchPlaces:
    """The folders of `plan`; `uploads` is where its pictures were sent to, if they were.

    Others than the person at this machine may name folders below the data folder only. Raises InvalidRequest
    for a folder that is closed to them, and for none at all.
    """

    def place(field: str) -> Path | None:
        text = getattr(plan, field)
        if not text:
            return None
        if "\0" in text:
            raise InvalidRequest(field, f"{field} holds a character (NUL) that no folder's name has.")
        path = folders.place(text)
        closed_by = flags.files_closed_by
        if closed_by and not path.resolve().is_relative_to(folders.data.resolve()):
            raise InvalidRequest(
                field,
                f"{path} lies outside the data folder, and with {closed_by} strangers choose no place. Name "
                "a folder inside it, or start the program with --enable-insecure-folder-access too.",
            )
        return path

    pictures = uploads or place("input_folder")
    if pictures is None:
        raise InvalidRequest("input_folder", "There is no folder of pictures: name one, or add pictures.")
    return BatchPlaces(pictures, place("output_folder"), place("mask_folder"), place("text_folder"))
