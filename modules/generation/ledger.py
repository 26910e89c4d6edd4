"""What is known of the pictures of a job that were saved before, and of the one about to be saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from modules.generation.drawn import ModelFacts, Role

__all__ = ["KeptPicture", "Ledger", "PictureKey"]

PictureKey = tuple[Role, int]
"""A picture of a job: its role, and its number from 0."""


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture that is on the disk: an output of the person's, or one in the job's own spool folder."""

    path: Path
    infotext: str
    seed: int
    subseed: int
    facts: ModelFacts
    spooled: bool = False


class Ledger(Protocol):
    """The book of one job's pictures. It outlives a crash; what it says is kept is whole on the disk."""

    @property
    def started(self) -> datetime:
        """When the job began, before any crash."""

    @property
    def spool(self) -> Path:
        """A folder for pictures that do not go into the outputs; made by who writes into it."""

    def kept(self) -> Mapping[PictureKey, KeptPicture]:
        """The pictures that are on the disk."""

    def about_to_keep(self, key: PictureKey, path: Path, digest: str, kept: KeptPicture) -> None:
        """The file with this sha256 is about to appear at `path`."""

    def has_kept(self, key: PictureKey, kept: KeptPicture) -> None:
        """The file is there."""
