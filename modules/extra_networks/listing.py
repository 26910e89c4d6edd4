"""Which cards are shown, in which order: search, folders, sorting, pages. Pure functions over cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modules.extra_networks.card import Card, is_hidden_folder
from modules.extra_networks.catalogue import Look
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.versions import ModelVersion

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["FolderCount", "HiddenModels", "Listing", "ShownRules", "SortField", "Wish", "list_cards"]


class SortField(StrEnum):
    """What cards are sorted by."""

    PATH = "path"
    NAME = "name"
    CREATED = "created"
    MODIFIED = "modified"


class HiddenModels(StrEnum):
    """When files in hidden folders have cards: the setting `extra_networks_hidden_models`."""

    ALWAYS = "Always"
    WHEN_SEARCHED = "When searched"
    NEVER = "Never"


SORT_KEYS: dict[SortField, Callable[[Card], Any]] = {
    SortField.PATH: lambda card: (card.folder.lower(), card.label.lower()),
    SortField.NAME: lambda card: (card.label.lower(), card.folder.lower()),
    SortField.CREATED: lambda card: card.created,
    SortField.MODIFIED: lambda card: card.modified,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see. folder: it and what is below it; empty: all. Pages count from 0."""

    search: str = ""
    folder: str = ""
    sort: SortField = SortField.PATH
    descending: bool = False
    page: int = 0
    page_size: int = 100
    every_version: bool = False


@dataclass(frozen=True, slots=True)
class ShownRules:
    """What the settings keep from view."""

    hidden_models: HiddenModels = HiddenModels.WHEN_SEARCHED
    hidden_folders: bool = True
    every_version: bool = False
    hide_unknown_for: tuple[str, ...] = ()

    @classmethod
    def from_options(cls, options: Options) -> ShownRules:
        """From `extra_networks_hidden_models`, `extra_networks_show_hidden_directories`, `lora_show_all` and
        `lora_hide_unknown_for_versions`.
        """
        return cls(
            HiddenModels(options.extra_networks_hidden_models),
            options.extra_networks_show_hidden_directories,
            options.lora_show_all,
            tuple(options.lora_hide_unknown_for_versions),
        )


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder of the tree, and how many cards lie in it and below it."""

    path: str
    count: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of cards."""

    cards: tuple[Card, ...]
    total: int
    """On all pages."""
    other_versions: int
    """How many are left out since they are made for other models than the one in use."""
    unread: int
    """How many files were not opened yet, which is going on."""
    folders: tuple[FolderCount, ...]


def list_cards(look: Look, wish: Wish, rules: ShownRules, version: ModelVersion) -> Listing:
    """The cards that `wish` asks for. `version` is that of the model in use; UNKNOWN leaves out nothing."""
    cards = look.cards
    shown = [card for card in cards if _is_in_view(card, wish, rules)]
    fitting = shown
    if not wish.every_version:
        fitting = [card for card in shown if _fits(card, rules, version)]
    words = wish.search.lower().split()
    found = [card for card in fitting if _is_below(card, wish.folder) and _matches(card, words)]
    found.sort(key=SORT_KEYS[wish.sort], reverse=wish.descending)
    start = wish.page * wish.page_size
    return Listing(
        tuple(found[start : start + wish.page_size]),
        len(found),
        len(shown) - len(fitting),
        look.unread,
        _folders(cards if rules.hidden_models is not HiddenModels.NEVER else shown, rules),
    )


def _is_in_view(card: Card, wish: Wish, rules: ShownRules) -> bool:
    if not card.is_hidden or rules.hidden_models is HiddenModels.ALWAYS:
        return True
    # Who opens a hidden folder looks for what is in it.
    is_sought = bool(wish.search.strip()) or (is_hidden_folder(wish.folder) and _is_below(card, wish.folder))
    return rules.hidden_models is HiddenModels.WHEN_SEARCHED and is_sought


def _fits(card: Card, rules: ShownRules, version: ModelVersion) -> bool:
    """Whether the model in use can do something with it, as far as is known."""
    if version is ModelVersion.UNKNOWN or not card.is_read:
        return True
    if card.kind is NetworkKind.LORA:
        if rules.every_version:
            return True
        if card.version is ModelVersion.UNKNOWN:
            return version not in rules.hide_unknown_for
        return card.version is version
    if card.kind is NetworkKind.TEXTUAL_INVERSION:
        return card.version in (version, ModelVersion.UNKNOWN)
    return True


def _is_below(card: Card, folder: str) -> bool:
    return not folder or card.folder == folder or card.folder.startswith(f"{folder}/")


def _matches(card: Card, words: Iterable[str]) -> bool:
    text = card.search_text
    return all(word in text for word in words)


def _folders(cards: Iterable[Card], rules: ShownRules) -> tuple[FolderCount, ...]:
    """Every folder with its cards, and the folders above it, by path."""
    counts: Counter[str] = Counter()
    for card in cards:
        if not card.folder or (card.is_hidden and not rules.hidden_folders):
            continue
        parts = card.folder.split("/")
        counts.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return tuple(
        FolderCount(path, count)
        for path, count in sorted(counts.items(), key=lambda each: each[0].lower().split("/"))
    )
