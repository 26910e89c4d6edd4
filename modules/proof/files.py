"""The files that a record names, found again by their contents."""

from collections.abc import Sequence
from dataclasses import dataclass

from modules.checkpoints import CheckpointFile, CheckpointShelf, VaeFile, VaeShelf
from modules.errors import NotFound
from modules.generation import Engine, FileFacts, ModelFiles, PictureRecord

__all__ = ["FoundFiles", "find_files"]

SHOWN_DIGITS = 10


@dataclass(frozen=True)
class FoundFiles:
    """Under which names this program has the files: as settings, the hires checkpoint, the refiner; what is
    to be said.
    """

    settings: dict[str, str]
    second: str | None
    refiner: str | None
    notes: tuple[str, ...]


def find_files(record: PictureRecord, engine: Engine) -> FoundFiles:
    """The checkpoints and the VAE of `record` in the folders of `engine`, under whatever name they are there.

    Hashes that are not known are computed. Raises NotFound for a file that is missing or has other contents.
    """
    notes: list[str] = []
    wanted = [each for each in (record.model, record.second, record.refiner) if each]
    found = [(_checkpoint(engine.shelf, files.checkpoint, notes), files) for files in wanted]
    settings = {
        "sd_model_checkpoint": found[0][0].title,
        "sd_vae": _vae_setting(engine.vae_shelf, found),
    }
    second = found[1][0].title if record.second else None
    refiner = found[-1][0].title if record.refiner else None
    return FoundFiles(settings, second, refiner, tuple(notes))


def _checkpoint(shelf: CheckpointShelf, wanted: FileFacts, notes: list[str]) -> CheckpointFile:
    namesakes = [file for file in shelf.list() if file.path.name == wanted.name]
    for file in namesakes:
        if wanted.sha256 is None or file.sha256 is None:
            notes.append(f"{wanted.name} was taken by its name, since a hash is missing (--no-hashing).")
            return file
        if file.sha256 == wanted.sha256:
            return file
    if other := _by_contents(shelf, wanted.sha256):
        notes.append(f"{wanted.name} is called {other.path.name} here; the contents are the same.")
        return other
    raise NotFound(_missing("checkpoint", wanted, namesakes))


def _by_contents(shelf: CheckpointShelf, sha256: str | None) -> CheckpointFile | None:
    if sha256 is None:
        return None
    try:
        found = shelf.find(sha256)
    except NotFound:
        return None
    # A hash can be a part of a name too.
    return found if found.sha256 == sha256 else None


def _vae_setting(shelf: VaeShelf, wanted: Sequence[tuple[CheckpointFile, ModelFiles]]) -> str:
    """The value of `sd_vae` that gives every checkpoint its VAE. Raises NotFound when there is none."""
    by_name = sorted(shelf.list(), key=lambda file: file.name != _name(wanted[0][1].vae))
    for setting in ("None", "Automatic", *(file.name for file in by_name)):
        if all(_is(shelf.choose(setting, checkpoint), files.vae) for checkpoint, files in wanted):
            return setting
    missing = next(files.vae for _, files in wanted if files.vae is not None)
    raise NotFound(_missing("VAE", missing, [file for file in shelf.list() if file.name == missing.name]))


def _is(file: VaeFile | None, wanted: FileFacts | None) -> bool:
    if file is None or wanted is None:
        return file is None and wanted is None
    if wanted.sha256 is None or file.sha256 is None:
        return file.name == wanted.name
    return file.sha256 == wanted.sha256


def _name(file: FileFacts | None) -> str | None:
    return file.name if file else None


def _missing(kind: str, wanted: FileFacts, namesakes: Sequence[CheckpointFile | VaeFile]) -> str:
    was = _shown(wanted.sha256)
    if namesakes:
        now = _shown(namesakes[0].sha256)
        return (
            f"The {kind} {wanted.name} has other contents here: its hash is {now}, and the picture was drawn "
            f"with {was}. No other file here has that hash."
        )
    return (
        f"The {kind} {wanted.name} (hash {was}) is not here, under any name. Put it into its folder and try "
        "again."
    )


def _shown(sha256: str | None) -> str:
    return sha256[:SHOWN_DIGITS] if sha256 else "unknown"
