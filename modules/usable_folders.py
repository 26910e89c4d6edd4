"""What of the folders can be used: a read-only one costs what would be written there, not the start."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from modules.errors import EaselError
from modules.folders import Folders

__all__ = ["usable_folders"]


def usable_folders(folders: Folders) -> tuple[Folders, tuple[str, ...]]:
    """The folders as a program can work with them, made where they are missing, and sentences about the rest.

    Where the data folder cannot be written, the queue and the like lie in a folder for this run alone, which
    `Folders.scratch` then names. Raises EaselError where there is no data folder at all.
    """
    sentences = folders.ensure()
    fault = _fault_of_state(folders)
    if fault:
        folders = _in_scratch(folders)
        sentences += (
            f"{fault} The queue, its history and what batches have done are kept for this run only. Give "
            "yourself the rights to it, or name another folder as --data-dir.",
        )
    return folders, sentences + tuple(_read_only(folders)) + tuple(_missing(folders))


def _fault_of_state(folders: Folders) -> str | None:
    """Why the program cannot keep its state in the data folder."""
    places = (folders.data, folders.cache, folders.job_files, folders.inputs, folders.batches)
    database = folders.database_file
    files = (
        database,
        *(database.with_name(database.name + end) for end in ("-wal", "-shm")),
        folders.lock_file,
    )
    return next(
        (
            f"{place} cannot be written: {reason}."
            for place in (*places, *files)
            if place.exists() and (reason := _why_not_written(place))
        ),
        None,
    )


def _in_scratch(folders: Folders) -> Folders:
    try:
        scratch = Path(tempfile.mkdtemp(prefix="easel-"))
    except OSError as error:
        raise EaselError(
            f"Neither {folders.data} nor the folder for temporary files can be written ({error.strerror}): "
            "name a folder that can be as --data-dir."
        ) from error
    return dataclasses.replace(
        folders,
        scratch=scratch,
        cache=scratch / "cache",
        database_file=scratch / folders.database_file.name,
        lock_file=scratch / folders.lock_file.name,
        session_key_file=scratch / folders.session_key_file.name,
        job_files=scratch / "cache" / "jobs",
        inputs=scratch / "cache" / "inputs",
        batches=scratch / "cache" / "batches",
    )


def _read_only(folders: Folders) -> Iterator[str]:
    """What else cannot be written, with what that costs."""
    for place, cost in (
        (folders.outputs, "pictures are drawn and shown, and not saved there"),
        (folders.models, "its models are used, and none can be written there"),
        (folders.config_file, "settings cannot be changed"),
        *((file, "its styles are used, and cannot be changed") for file in folders.styles_files),
    ):
        if place.exists() and (reason := _why_not_written(place)):
            yield f"{place} cannot be written: {reason}; {cost}."


def _missing(folders: Folders) -> Iterator[str]:
    """Folders that somebody has named and that are not there."""
    models = (
        *folders.checkpoints, *folders.vae, *folders.embeddings, *folders.loras, *folders.lycoris,
        *folders.hypernetworks, *folders.upscalers.values(),
    )  # fmt: skip
    for folder in dict.fromkeys(models):
        if any(folder.is_relative_to(place) for place in (folders.models, folders.data, folders.program)):
            continue
        if not folder.exists():
            yield f"There is no folder {folder}, so nothing is found there: mend the flag that names it."
        elif not folder.is_dir():
            yield f"{folder} is a file and no folder, so nothing is found there: mend the flag that names it."
        elif not os.access(folder, os.R_OK | os.X_OK):
            yield f"The folder {folder} cannot be read: give yourself the rights to it."


def _why_not_written(place: Path) -> str | None:
    """Found out by doing: rights do not tell of read-only disks, and hardly anything on Windows."""
    try:
        if place.is_dir():
            with tempfile.TemporaryFile(dir=place):
                pass
        else:
            with place.open("r+b"):
                pass
    except OSError as error:
        return error.strerror or str(error)
    return None
