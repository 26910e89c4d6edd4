"""Extra-network tags in a prompt: `<lora:name:0.8>`, `<hypernet:name:1.0>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "HYPERNETWORK_KINDS",
    "KNOWN_KINDS",
    "LORA_KINDS",
    "NetworkTag",
    "network_tag",
    "take_network_tags",
]

LORA_KINDS = ("lora", "lyco")
HYPERNETWORK_KINDS = ("hypernet",)
KNOWN_KINDS = (*LORA_KINDS, *HYPERNETWORK_KINDS)

# A backslash takes the meaning of the next sign away.
HEAD = re.compile(r"\\.|<(?P<kind>\w+):")
BODY = re.compile(r"(?>\\[\\:<>]|[^>])*+")
PIECE = re.compile(r"\\(?P<escaped>[\\:<>])|(?P<colon>:)|[^:\\]+|\\")
SPECIAL = re.compile(r"[\\:<>]")


@dataclass(frozen=True, slots=True)
class NetworkTag:
    """A tag as it was written.

    kind: the word before the first colon (lora, hypernet ...). items: all arguments in order, as texts.
    """

    kind: str
    items: tuple[str, ...]

    @property
    def name(self) -> str:
        """The network's name: the first argument, whatever signs are in it."""
        return self.items[0]

    @property
    def positional(self) -> tuple[str, ...]:
        """The name, and the arguments that are not of the form `key=value`."""
        return (self.name, *(item for item in self.items[1:] if not _is_named(item)))

    @property
    def named(self) -> dict[str, str]:
        """Arguments of the form `key=value`; of a repeated key the last counts."""
        return dict(item.split("=") for item in self.items[1:] if _is_named(item))

    def __str__(self) -> str:
        """The tag as it stands in a prompt."""
        items = (SPECIAL.sub(lambda sign: f"\\{sign[0]}", item) for item in self.items)
        return f"<{self.kind}:{':'.join(items)}>"


def network_tag(kind: str, name: str, *arguments: str) -> str:
    """A tag that is read as exactly this network, whatever signs its name has."""
    return str(NetworkTag(kind, (name, *arguments)))


def take_network_tags(text: str) -> tuple[str, list[NetworkTag]]:
    """The prompt without its tags, and the tags in order. What surrounds a tag stays, spaces included.

    In a tag a backslash makes a colon, an angle bracket or another backslash part of a name.
    """
    kept: list[str] = []
    tags: list[NetworkTag] = []
    position = 0
    for start, end, tag in _find_tags(text):
        kept.append(text[position:start])
        tags.append(tag)
        position = end
    kept.append(text[position:])
    return "".join(kept), tags


def _find_tags(text: str) -> Iterator[tuple[int, int, NetworkTag]]:
    """Start, end and content of each tag. Where one has no ">", none behind it has, so the time is linear."""
    position = 0
    while (head := HEAD.search(text, position)) is not None:
        position = head.end()
        if not head["kind"]:
            continue
        body = BODY.match(text, position)
        close = body.end() if body else position
        if close == len(text):
            return
        if close > position:
            yield head.start(), close + 1, NetworkTag(head["kind"], _items(text[position:close]))
            position = close + 1


def _items(body: str) -> tuple[str, ...]:
    items = [""]
    for piece in PIECE.finditer(body):
        if piece["colon"]:
            items.append("")
        else:
            items[-1] += piece["escaped"] or piece[0]
    return tuple(items)


def _is_named(item: str) -> bool:
    """Exactly one equals sign: with two the recorded program takes the whole for a positional argument."""
    return item.count("=") == 1
