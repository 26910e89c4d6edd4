"""What a card puts into the prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modules.extra_networks.card import Card
from modules.extra_networks.kinds import NetworkKind
from modules.prompts import literal_words, network_tag

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["Insertion", "insertion_of"]

TAGS = {NetworkKind.LORA: "lora", NetworkKind.HYPERNETWORKS: "hypernet"}


@dataclass(frozen=True, slots=True)
class Insertion:
    """Texts for the two prompts; empty: nothing. `anywhere`: it may also stand in the negative prompt."""

    prompt: str = ""
    negative: str = ""
    anywhere: bool = False


def insertion_of(card: Card, options: Options) -> Insertion:
    """By the settings `lora_preferred_name` and `extra_networks_default_multiplier`. Nothing for a
    checkpoint, which is chosen instead. Whatever signs a name has, it is read back as that name.
    """
    if card.kind is NetworkKind.CHECKPOINTS:
        return Insertion()
    if card.kind is NetworkKind.TEXTUAL_INVERSION:
        return Insertion(literal_words(card.name), anywhere=True)
    is_by_alias = card.kind is NetworkKind.LORA and options.lora_preferred_name == "Alias from file"
    weight = card.said.sidecar.preferred_weight or options.extra_networks_default_multiplier
    tag = network_tag(TAGS[card.kind], card.alias if is_by_alias else card.name, f"{weight:g}")
    if card.kind is NetworkKind.HYPERNETWORKS:
        return Insertion(tag)
    negative = card.said.sidecar.negative_text
    # As the field writes it: in brackets that change nothing, so that it is found again.
    return Insertion(f"{tag} {card.activation_text}".rstrip(), f"({negative}:1)" if negative else "")
