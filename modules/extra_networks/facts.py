"""What a file says about itself, as far as its card shows it. Numbers are never read, but of embeddings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.adapters import read_embedding
from modules.checkpoints import family_of, open_tensors, read_metadata
from modules.errors import EaselError
from modules.extra_networks.covers import has_cover
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.versions import (
    ModelVersion,
    version_of_family,
    version_of_metadata,
    version_of_shapes,
    version_of_width,
)

__all__ = ["FileFacts", "read_facts"]

log = logging.getLogger(__name__)

LONGEST_TEXT = 4000
"""Characters that are kept of a description or of trigger words."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """From the header of a file; all empty where it says nothing."""

    alias: str = ""
    """The name that the training program gave it."""
    version: ModelVersion = ModelVersion.UNKNOWN
    title: str = ""
    description: str = ""
    trigger: str = ""
    """Words of a prompt that bring out what was trained."""
    has_metadata: bool = False
    has_cover: bool = False
    """Whether a picture of it is inside."""

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> FileFacts:
        """Facts that were kept as JSON. Raises TypeError for what no facts are."""
        return cls(**{**tree, "version": ModelVersion.named(tree.get("version", ""))})


def read_facts(kind: NetworkKind, path: Path) -> FileFacts:
    """The facts of a file. One that cannot be read has none: why, is said when it is used."""
    try:
        metadata = read_metadata(path) if path.suffix.lower() == ".safetensors" else {}
        version = _version(kind, path, metadata)
    except (EaselError, OSError) as error:
        log.info("no facts of %s: %s", path.name, error)
        return FileFacts()
    alias = metadata.get("ss_output_name", "")
    return FileFacts(
        alias="" if alias == "None" else alias[:LONGEST_TEXT],
        version=version,
        title=metadata.get("modelspec.title", "")[:LONGEST_TEXT],
        description=metadata.get("modelspec.description", "")[:LONGEST_TEXT],
        trigger=metadata.get("modelspec.trigger_phrase", "")[:LONGEST_TEXT],
        has_metadata=bool(metadata),
        has_cover=has_cover(metadata),
    )


def _version(kind: NetworkKind, path: Path, metadata: Mapping[str, str]) -> ModelVersion:
    match kind:
        case NetworkKind.CHECKPOINTS:
            return version_of_family(family_of(path))
        case NetworkKind.TEXTUAL_INVERSION:
            embedding = read_embedding(path)
            return version_of_width(embedding.width) if embedding else ModelVersion.UNKNOWN
        case NetworkKind.HYPERNETWORKS:
            return ModelVersion.UNKNOWN
    stated = version_of_metadata(metadata)
    if stated is not ModelVersion.UNKNOWN or path.suffix.lower() != ".safetensors":
        return stated
    with open_tensors(path) as file:
        return version_of_shapes((name, stored.shape) for name, stored in file.tensors.items())
