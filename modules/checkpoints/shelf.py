"""The shelves: which checkpoints and VAEs there are, and which one a text means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modules.checkpoints.files import CheckpointFile, VaeFile
from modules.checkpoints.hashes import HashCache
from modules.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["CheckpointShelf", "VaeShelf", "files_below", "folders_below"]

CHECKPOINT_ENDINGS = (".safetensors", ".ckpt")
VAE_ENDINGS = (".safetensors", ".ckpt", ".pt")
NAMED_VAE_ENDINGS = (".vae.safetensors", ".vae.ckpt", ".vae.pt")
"""How a VAE is named that lies among checkpoints."""

TRAILING_HASH = re.compile(r"\s*\[[0-9a-f]+\]\s*$")
WHOLE_HASH = re.compile(r"[0-9a-f]{10}|[0-9a-f]{64}")
HASHING_BUDGET = 1 << 30
"""Bytes that a search by hash may read of files whose hash is unknown."""


class CheckpointShelf:
    """The checkpoints in the folders, as at the last `refresh`, and `extra` ones (`--ckpt`).

    Models in diffusers' layout are folders in `models/diffusers`.
    """

    def __init__(self, folders: Folders, hash_cache: HashCache, extra: Sequence[Path] = ()) -> None:
        self._roots = tuple(folders.checkpoints)
        self._diffusers = folders.diffusers
        self._hashes = hash_cache
        self._extra = tuple(extra)
        self._files: list[CheckpointFile] = []
        self.refresh()

    def list(self) -> list[CheckpointFile]:
        """All checkpoints, by name; those in hidden folders last."""
        return list(self._files)

    def refresh(self) -> None:
        """Look into the folders again."""
        found = [(path, path.name) for path in self._extra if path.is_file()]
        for root in self._roots:
            found += [
                (path, path.relative_to(root).as_posix()) for path in files_below(root, CHECKPOINT_ENDINGS)
            ]
        found += [(path, path.relative_to(self._diffusers).as_posix()) for path in self._folders()]
        named = {path: name for path, name in reversed(found) if not name.lower().endswith(NAMED_VAE_ENDINGS)}
        files = [CheckpointFile(path, self._hashes, name) for path, name in named.items()]
        # The first one is used where nothing is chosen: none from a hidden folder, while there are others.
        self._files = sorted(files, key=lambda file: (_is_hidden(file), file.name.lower(), str(file.path)))

    def _folders(self) -> Iterator[Path]:
        """The models in diffusers' layout, at most one folder deep."""
        for pattern in ("*/model_index.json", "*/*/model_index.json"):
            yield from (path.parent for path in sorted(self._diffusers.glob(pattern)))

    def find(self, text: str) -> CheckpointFile:
        """The checkpoint that `text` means: title, name, stem or hash, else the shortest name it is part of.

        A hash in brackets at the end counts only when it is known; capital letters do not matter in names.
        Raises NotFound.
        """
        text = text.strip()
        found = self._exactly(text) or self._by_unknown_hash(text) or self._by_part(text)
        if found is None:
            raise NotFound(self._missing(text))
        return found

    def _exactly(self, text: str) -> CheckpointFile | None:
        return next((file for file in self._files if text in file.ids), None)

    def _by_unknown_hash(self, text: str) -> CheckpointFile | None:
        """Hashes the smaller files that were never hashed, as long as that takes seconds and not minutes."""
        if not WHOLE_HASH.fullmatch(text):
            return None
        unknown = [file for file in self._files if file.known_sha256 is None]
        budget = HASHING_BUDGET
        for file in sorted(unknown, key=lambda file: _size(file.path)):
            budget -= _size(file.path)
            if budget < 0:
                return None
            if (file.sha256 or "").startswith(text):
                return file
        return None

    def _by_part(self, text: str) -> CheckpointFile | None:
        part = TRAILING_HASH.sub("", text).lower()
        if not part:
            return None
        candidates = [file for file in self._files if part in file.name.lower()]
        exact = [file for file in candidates if part in {file.name.lower(), file.stem.lower()}]
        return min(exact or candidates, key=lambda file: len(file.name), default=None)

    def _missing(self, text: str) -> str:
        if not self._files:
            return f"There is no checkpoint in {self._roots[0]}. Put a .safetensors file there and refresh."
        names = [file.name for file in self._files[:8]] + ["..."] * (len(self._files) > 8)
        return f'No checkpoint is called "{text[:100]}". There are: {", ".join(names)}.'


class VaeShelf:
    """The VAE files in the VAE folders, and those named so among the checkpoints."""

    def __init__(self, folders: Folders, hash_cache: HashCache, extra: Sequence[Path] = ()) -> None:
        self._places = [(root, VAE_ENDINGS) for root in folders.vae]
        self._places += [(root, NAMED_VAE_ENDINGS) for root in folders.checkpoints]
        self._hashes = hash_cache
        self._extra = tuple(extra)
        self._files: list[VaeFile] = []
        self.refresh()

    def list(self) -> list[VaeFile]:
        """All VAE files, by name; of several with one name the first found."""
        return list(self._files)

    def refresh(self) -> None:
        """Look into the folders again."""
        paths = [path for path in self._extra if path.is_file()]
        paths += [path for root, endings in self._places for path in files_below(root, endings)]
        named = {path.name: VaeFile(path, self._hashes) for path in reversed(paths)}
        self._files = sorted(named.values(), key=lambda file: file.name.lower())

    def find(self, name: str) -> VaeFile:
        """The VAE file called `name`, with or without its extension. Raises InvalidRequest for `sd_vae`."""
        for file in self._files:
            if name in {file.name, file.stem}:
                return file
        names = ", ".join(["Automatic", "None", *(file.name for file in self._files[:8])])
        raise InvalidRequest("sd_vae", f'No VAE is called "{name[:100]}". Choose one of: {names}.')

    def beside(self, checkpoint: CheckpointFile) -> VaeFile | None:
        """The VAE named after the checkpoint: `NAME.vae.pt`, or `NAME.safetensors` in a VAE folder."""
        mine = [file for file in self._files if file.name.startswith(f"{checkpoint.stem}.")]
        return min(mine, key=lambda file: file.path.parent != checkpoint.path.parent, default=None)

    def choose(self, setting: str, checkpoint: CheckpointFile) -> VaeFile | None:
        """What the setting `sd_vae` means for `checkpoint`; None for the checkpoint's own VAE."""
        if setting == "None":
            return None
        return self.beside(checkpoint) if setting == "Automatic" else self.find(setting)


def files_below(root: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Files in `root` and its sub-folders, hidden ones too, by folder and name."""
    for folder, names in folders_below(root):
        yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(endings))


def folders_below(root: Path) -> Iterator[tuple[str, list[str]]]:
    """`root` and its sub-folders, each with the names of its files; symbolic links are followed once."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield folder, names


def _is_hidden(file: CheckpointFile) -> bool:
    return any(part.startswith(".") for part in file.name.split("/"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
