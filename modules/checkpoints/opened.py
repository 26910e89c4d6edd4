"""A checkpoint that is open: its tensors under their names, whether it is one file or a diffusers folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.checkpoints.diffusers_folder import PARTS, is_diffusers_folder, read_config, weight_files
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.sources import Source, Sources, sources_of
from modules.errors import UnusableFile

__all__ = ["OpenedCheckpoint", "open_checkpoint"]


@dataclass(frozen=True, slots=True, eq=False)
class OpenedCheckpoint:
    """Tensors and facts of a checkpoint or of a file that holds one part of a model."""

    path: Path
    sources: Sources
    """In a diffusers folder the names begin with the part's: "unet.conv_in.weight"."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the config.json of each part says; empty for a single file."""

    @property
    def name(self) -> str:
        """The file's, for sentences."""
        return self.path.name


@contextmanager
def open_checkpoint(path: Path) -> Iterator[OpenedCheckpoint]:
    """The checkpoint `path`, a file or a folder, open inside the block. Raises EaselError for one that cannot
    be read.
    """
    with ExitStack() as files:
        if path.is_dir():
            yield _open_folder(path, files)
            return
        file = files.enter_context(open_tensors(path))
        yield OpenedCheckpoint(path, sources_of(file), file.metadata)


def _open_folder(path: Path, files: ExitStack) -> OpenedCheckpoint:
    if not is_diffusers_folder(path):
        raise UnusableFile(
            f"{path.name} is no model in diffusers' layout: it has no model_index.json or no folder unet."
        )
    parts = [part for part in PARTS if (path / part).is_dir()]
    configs = {part: read_config(path / part) for part in parts}
    sources: dict[str, Source] = {}
    for part in parts:
        for weights in weight_files(path / part):
            file = files.enter_context(open_tensors(weights))
            sources |= {f"{part}.{name}": source for name, source in sources_of(file).items()}
    return OpenedCheckpoint(path, sources, configs=configs)
