"""The kinds of extra networks: the pages of cards that there are."""

from __future__ import annotations

from enum import StrEnum

from modules.errors import NotFound

__all__ = ["NetworkKind"]


class NetworkKind(StrEnum):
    """A kind of files with cards, in the order of the field's tabs; the value is its name in element ids."""

    TEXTUAL_INVERSION = "textual_inversion"
    HYPERNETWORKS = "hypernetworks"
    CHECKPOINTS = "checkpoints"
    LORA = "lora"

    @property
    def heading(self) -> str:
        """What its tab is called."""
        return self.value.replace("_", " ").title()

    @classmethod
    def named(cls, name: str) -> NetworkKind:
        """The kind that `name` means, as element ids or as titles have it. Raises NotFound."""
        small = name.strip().lower().replace(" ", "_")
        if small in set(cls):
            return cls(small)
        known = ", ".join(cls)
        raise NotFound(f'There is no kind of extra networks called "{name[:60]}". There are: {known}.')
