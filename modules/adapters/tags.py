"""What the tags of a prompt ask for: networks and hypernetworks, by their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from modules.adapters.files import AdapterShelf
from modules.adapters.hypernetworks import WantedHypernetwork
from modules.adapters.stack import WantedNetwork
from modules.errors import InvalidRequest
from modules.prompts import NetworkTag

__all__ = ["WantedAdapters", "read_tags"]

NETWORK_KINDS = ("lora", "lyco")


@dataclass(frozen=True, slots=True)
class WantedAdapters:
    """The adapters that a prompt asks for, in its order, and sentences about those that do not exist."""

    networks: tuple[WantedNetwork, ...] = ()
    hypernetworks: tuple[WantedHypernetwork, ...] = ()
    notes: tuple[str, ...] = ()


def read_tags(
    tags: Sequence[NetworkTag], networks: AdapterShelf, hypernetworks: AdapterShelf
) -> WantedAdapters:
    """The adapters of `tags`: `<lora:name:text:unet:ranks>`, also with `te=`, `unet=`, `dyn=`, and
    `<hypernet:name:strength>`.

    A strength that is left out is 1, that of the UNet the text encoder's. Raises InvalidRequest for a number
    that is none.
    """
    wanted: list[WantedNetwork] = []
    hyper: list[WantedHypernetwork] = []
    notes: list[str] = []
    for tag in tags:
        if not tag.positional or tag.kind not in (*NETWORK_KINDS, "hypernet"):
            continue
        shelf = networks if tag.kind in NETWORK_KINDS else hypernetworks
        name = tag.positional[0]
        file = shelf.find(name)
        if file is None:
            what = "LoRA" if tag.kind in NETWORK_KINDS else "hypernetwork"
            notes.append(f"There is no {what} called {name}; the picture is drawn without it.")
        elif tag.kind in NETWORK_KINDS:
            text, unet, ranks = _strengths(tag)
            wanted.append(WantedNetwork(file, text, unet, ranks))
        else:
            hyper.append(WantedHypernetwork(file, _number(tag, 1, "", 1.0)))
    return WantedAdapters(tuple(wanted), tuple(hyper), tuple(notes))


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
            f"<{tag.kind}:{':'.join(tag.items)}> in the prompt: {written!r} is no number. Write for example "
            f"<{tag.kind}:{tag.positional[0]}:0.8>.",
        ) from None
