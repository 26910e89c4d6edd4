"""The shelves: which checkpoints and VAEs there are, and which one a text means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modules.checkpoints.files import CheckpointFile, VaeFile
from modules.checkpoints.hashes import HashCache
from modules.checkpoints.recognition import is_network
from modules.errors import InvalidRequest, NotFound
from modules.listing import FileTree, FoundFile, named_apart

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["CheckpointShelf", "VaeShelf"]

CHECKPOINT_ENDINGS = (".safetensors", ".ckpt")
VAE_ENDINGS = (".safetensors", ".ckpt", ".pt")
NAMED_VAE_ENDINGS = (".vae.safetensors", ".vae.ckpt", ".vae.pt")
"""How a VAE is named that lies among checkpoints."""

TRAILING_HASH = re.compile(r"\s*\[[0-9a-f]+\]\s*$")
WHOLE_HASH = re.compile(r"[0-9a-f]{10}|[0-9a-f]{64}")
DIFFUSERS_INDEX = "model_index.json"
HASHING_BUDGET = 1 << 30
"""Bytes that a search by hash may read of files whose hash is unknown."""


class CheckpointShelf:
    """The checkpoints in the folders, and `extra` ones (`--ckpt`). Folders that have changed are looked into
    again.

    Models in diffusers' layout are folders in `models/diffusers`. LoRAs that lie among checkpoints are none.
    """

    def __init__(self, folders: Folders, hash_cache: HashCache, extra: Sequence[Path] = ()) -> None:
        self._roots = tuple(folders.checkpoints)
        self._tree = FileTree(self._roots, CHECKPOINT_ENDINGS)
        self._diffusers = FileTree([folders.diffusers], (DIFFUSERS_INDEX,))
        self._hashes = hash_cache
        self._extra = tuple(extra)
        self._files: list[CheckpointFile] = []
        self._networks: tuple[Path, ...] = ()
        self.refresh()

    def list(self) -> list[CheckpointFile]:
        """All checkpoints, by name; those in hidden folders last."""
        if not (self._tree.is_current() and self._diffusers.is_current()):
            self.refresh()
        return list(self._files)

    @property
    def networks(self) -> Sequence[Path]:
        """The LoRAs that lie among the checkpoints."""
        return self._networks

    def refresh(self) -> None:
        """Look into the folders again."""
        self._tree.look()
        self._diffusers.look()
        found = [(path, path.name) for path in self._extra if path.is_file()]
        found += [(file.path, _name_below(file)) for file in self._tree.files]
        found += self._folders()
        named = {path: name for path, name in reversed(found) if not name.lower().endswith(NAMED_VAE_ENDINGS)}
        self._networks = tuple(path for path in named if path not in self._extra and is_network(path))
        files = [
            CheckpointFile(path, self._hashes, name)
            for path, name in named.items()
            if path not in self._networks
        ]
        # The first one is used where nothing is chosen: none from a hidden folder, while there are others.
        self._files = sorted(files, key=lambda file: (_is_hidden(file), file.name.lower(), str(file.path)))

    def _folders(self) -> Iterator[tuple[Path, str]]:
        """The models in diffusers' layout, at most one folder deep, and their names."""
        for file in self._diffusers.files:
            if file.path.name == DIFFUSERS_INDEX and 1 <= len(file.folder.split("/")) <= 2 and file.folder:
                yield file.path.parent, file.folder

    def find(self, text: str) -> CheckpointFile:
        """The checkpoint that `text` means: title, name, stem or hash, else the shortest name it is part of.

        A hash in brackets at the end counts only when it is known; capital letters do not matter in names.
        Raises NotFound.
        """
        text = text.strip()
        self.list()
        found = self._found(text)
        if found is not None and found.stamp is None:
            # A link stays in its folder when the file that it names is taken away.
            self.refresh()
            found = self._found(text)
        if found is None:
            raise NotFound(self._missing(text))
        return found

    def _found(self, text: str) -> CheckpointFile | None:
        return self._exactly(text) or self._by_unknown_hash(text) or self._by_part(text)

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
        for path in self._networks:
            if text in (path.name, path.stem):
                return (
                    f"{path.name} in {path.parent} is a LoRA, not a checkpoint: prompts name it, "
                    f'<lora:{path.stem}:1>. Its place is "models/Lora".'
                )
        if not self._files:
            return f"There is no checkpoint in {self._roots[0]}. Put a .safetensors file there and refresh."
        names = [file.name for file in self._files[:8]] + ["..."] * (len(self._files) > 8)
        return f'No checkpoint is called "{text[:100]}". There are: {", ".join(names)}.'


class VaeShelf:
    """The VAE files in the VAE folders, and those named so among the checkpoints."""

    def __init__(self, folders: Folders, hash_cache: HashCache, extra: Sequence[Path] = ()) -> None:
        self._trees = (FileTree(folders.vae, VAE_ENDINGS), FileTree(folders.checkpoints, NAMED_VAE_ENDINGS))
        self._hashes = hash_cache
        self._extra = tuple(extra)
        self._files: list[VaeFile] = []
        self.refresh()

    def list(self) -> list[VaeFile]:
        """All VAE files, by name; of several with one name those after the first by their place too."""
        if not all(tree.is_current() for tree in self._trees):
            self.refresh()
        return list(self._files)

    def refresh(self) -> None:
        """Look into the folders again."""
        for tree in self._trees:
            tree.look()
        found = [FoundFile(path, path.parent) for path in self._extra if path.is_file()]
        found += [file for tree in self._trees for file in tree.files]
        named = named_apart(found, lambda file: file.path.name)
        files = [VaeFile(file.path, self._hashes, name) for name, file in named.items()]
        self._files = sorted(files, key=lambda file: file.name.lower())

    def find(self, name: str) -> VaeFile:
        """The VAE file called `name`, with or without its extension. Raises InvalidRequest for `sd_vae`."""
        for _ in range(2):
            found = next((each for each in self.list() if name in (each.name, each.stem)), None)
            if found and found.stamp is not None:
                return found
            # A link stays in its folder when the file that it names is taken away.
            self.refresh()
        names = ", ".join(["Automatic", "None", *(file.name for file in self._files[:8])])
        raise InvalidRequest("sd_vae", f'No VAE is called "{name[:100]}". Choose one of: {names}.')

    def beside(self, checkpoint: CheckpointFile) -> VaeFile | None:
        """The VAE named after the checkpoint: `NAME.vae.pt`, or `NAME.safetensors` in a VAE folder."""
        mine = [file for file in self.list() if file.path.name.startswith(f"{checkpoint.stem}.")]
        return min(mine, key=lambda file: file.path.parent != checkpoint.path.parent, default=None)

    def choose(self, setting: str, checkpoint: CheckpointFile) -> VaeFile | None:
        """What the setting `sd_vae` means for `checkpoint`; None for the checkpoint's own VAE."""
        if setting == "None":
            return None
        return self.beside(checkpoint) if setting == "Automatic" else self.find(setting)


def _name_below(file: FoundFile) -> str:
    return f"{file.folder}/{file.path.name}" if file.folder else file.path.name


def _is_hidden(file: CheckpointFile) -> bool:
    return any(part.startswith(".") for part in file.name.split("/"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
