"""What the tags of a prompt ask for: networks and hypernetworks, by their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from modules.adapters.files import AdapterShelf
from modules.adapters.hypernetworks import WantedHypernetwork
from modules.adapters.stack import WantedNetwork
from modules.errors import InvalidRequest
from modules.prompts import HYPERNETWORK_KINDS, KNOWN_KINDS, LORA_KINDS, NetworkTag, network_tag

__all__ = ["WantedAdapters", "read_tags"]

ARGUMENTS = {**dict.fromkeys(LORA_KINDS, 4), **dict.fromkeys(HYPERNETWORK_KINDS, 2)}
"""How many arguments without a key a kind of tag has, the name among them."""
KEYS = {**dict.fromkeys(LORA_KINDS, ("te", "unet", "dyn")), **dict.fromkeys(HYPERNETWORK_KINDS, ())}
"""Which arguments with a key it has."""


@dataclass(frozen=True, slots=True)
class WantedAdapters:
    """The adapters that a prompt asks for, in its order, and sentences about what is not understood."""

    networks: tuple[WantedNetwork, ...] = ()
    hypernetworks: tuple[WantedHypernetwork, ...] = ()
    notes: tuple[str, ...] = ()


def read_tags(
    tags: Sequence[NetworkTag], networks: AdapterShelf, hypernetworks: AdapterShelf
) -> WantedAdapters:
    """The adapters of `tags`: `<lora:name:text:unet:ranks>`, also with `te=`, `unet=`, `dyn=`, and
    `<hypernet:name:strength>`; the case of these kinds does not matter.

    A strength that is left out is 1, that of the UNet the text encoder's. A tag or an argument that is not
    understood has no effect but a note. Raises InvalidRequest for a number that is none.
    """
    wanted: list[WantedNetwork] = []
    hyper: list[WantedHypernetwork] = []
    notes: list[str] = []
    for tag in tags:
        kind = tag.kind.lower()
        if kind not in KNOWN_KINDS:
            notes.append(_unknown_kind(tag))
            continue
        is_lora = kind in LORA_KINDS
        shelf = networks if is_lora else hypernetworks
        file = shelf.find(tag.name) or (shelf.find(tag.name.strip()) if tag.name.strip() else None)
        if file is None:
            named = tag.name.strip()
            notes.append(shelf.missing(f"called {named}" if named else f"without a name, as in {tag}"))
            continue
        notes += [*shelf.doubts(file), *_unknown_arguments(tag, kind)]
        if is_lora:
            text, unet, ranks = _strengths(tag)
            wanted.append(WantedNetwork(file, text, unet, ranks))
        else:
            hyper.append(WantedHypernetwork(file, _number(tag, 1, "", 1.0)))
    return WantedAdapters(tuple(wanted), tuple(hyper), tuple(notes))


def _unknown_kind(tag: NetworkTag) -> str:
    kinds = ", ".join(f"<{kind}:...>" for kind in KNOWN_KINDS)
    return (
        f"{tag} in the prompt has no effect: there are no networks of the kind {tag.kind!r}. The kinds are "
        f"{kinds}; a backslash before the < makes it plain text."
    )


def _unknown_arguments(tag: NetworkTag, kind: str) -> list[str]:
    """Sentences about what stands in a tag and has no meaning there."""
    unknown = [f"{key}={value}" for key, value in tag.named.items() if key not in KEYS[kind]]
    unknown += tag.positional[ARGUMENTS[kind] :]
    keys = ", ".join(f"{key}=" for key in KEYS[kind])
    known = f"numbers behind the name, and {keys}" if keys else "one number behind the name"
    return [f"{item} in {tag} is not known and has no effect; there are {known}." for item in unknown]


def _strengths(tag: NetworkTag) -> tuple[float, float, int | None]:
    text = _number(tag, 1, "te", 1.0)
    unet = _number(tag, 2, "unet", text)
    ranks = _number(tag, 3, "dyn", 0.0)
    return text, unet, int(ranks) if ranks > 0 else None


def _number(tag: NetworkTag, place: int, name: str, default: float) -> float:
    written = tag.named.get(name) or (tag.positional[place] if len(tag.positional) > place else "")
    try:
        number = float(written) if written else default
        if isfinite(number):
            return number
        raise ValueError
    except ValueError:
        raise InvalidRequest(
            "prompt",
            f"{tag} in the prompt: {written!r} is no number. Write for example "
            f"{network_tag(tag.kind, tag.name, '0.8')}.",
        ) from None
