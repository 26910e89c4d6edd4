"""A card: all that is shown of one network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modules.extra_networks.index import Said
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.versions import ModelVersion

__all__ = ["Card", "PreviewFile", "is_hidden_folder", "is_usable_alias"]

NOT_IN_TAGS = frozenset("<>:\n\r")
NOT_ALIASES = frozenset({"none", "addams"})
"""What training programs write where nobody chose a name: the field never calls a LoRA so."""


@dataclass(frozen=True, slots=True)
class PreviewFile:
    """A picture beside the network."""

    path: Path
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One network, with what its file and the files beside it say. Times are seconds since 1970."""

    kind: NetworkKind
    name: str
    """What it is found by: for prompts the file's name without its extension, for checkpoints the path below
    their folder.
    """
    label: str
    """Its file's name without the extension."""
    path: Path
    root: Path
    """The folder of its kind that it lies in."""
    folder: str
    """Its sub-folder below `root`, "/" between parts; empty at the top."""
    size: int
    created: float
    modified: float
    short_hash: str | None
    """As far as it is known already."""
    said: Said
    preview: PreviewFile | None
    is_read: bool = True
    """Whether the file was opened yet; until then it says nothing."""
    note: str = ""
    """What a person should know of where it lies and how it is called; empty: nothing."""
    has_own_alias: bool = False
    """Whether its alias means this file and no other."""

    @property
    def is_hidden(self) -> bool:
        """Whether it lies in a hidden folder."""
        return is_hidden_folder(self.folder)

    @property
    def description(self) -> str:
        """What a person wrote, else `NAME.txt`, else what the file says."""
        own = self.said.sidecar.description
        return next((text for text in (own, self.said.text) if text is not None), self.said.facts.description)

    @property
    def version(self) -> ModelVersion:
        """For which models it is made: as a person says, else as the file tells."""
        said = ModelVersion.named(self.said.sidecar.sd_version)
        return self.said.facts.version if said is ModelVersion.UNKNOWN else said

    @property
    def activation_text(self) -> str:
        """What is put into the prompt with it: as a person says, else as the file does."""
        own = self.said.sidecar.activation_text
        return self.said.facts.trigger if own is None else own

    @property
    def alias(self) -> str:
        """The file's own name for it, where a tag of that name means this file; else its name."""
        return (
            self.said.facts.alias
            if self.has_own_alias and is_usable_alias(self.said.facts.alias)
            else self.name
        )

    @property
    def sidecar_path(self) -> Path:
        """Where a person's words are kept, whether or not there are any."""
        return self.path.parent / f"{self.label}.json"

    @property
    def new_preview_path(self) -> Path:
        """Where a new preview goes: it comes before all others. An embedding may itself be `NAME.png`."""
        middle = ".preview" if self.kind is NetworkKind.TEXTUAL_INVERSION else ""
        return self.path.parent / f"{self.label}{middle}.png"

    @property
    def search_text(self) -> str:
        """What a search looks through, in small letters."""
        parts = (
            f"/{self.folder}/" if self.folder else "/",
            self.path.name,
            self.said.facts.alias,
            self.said.facts.title,
            self.activation_text,
            self.description,
            self.short_hash or "",
        )
        return "\n".join(parts).lower()


def is_hidden_folder(folder: str) -> bool:
    """Whether it, or one that it lies in, has a name that begins with a dot."""
    return any(part.startswith(".") for part in folder.split("/"))


def is_usable_alias(alias: str) -> bool:
    """Whether a tag can be written with it."""
    return bool(alias) and alias.lower() not in NOT_ALIASES and NOT_IN_TAGS.isdisjoint(alias)
