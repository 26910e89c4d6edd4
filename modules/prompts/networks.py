"""Extra-network tags in a prompt: `<lora:name:0.8>`, `<hypernet:name:1.0>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["NetworkTag", "take_network_tags"]

TAG_HEAD = re.compile(r"<(?P<kind>\w+):")


@dataclass(frozen=True, slots=True)
class NetworkTag:
    """A tag as it was written.

    kind: the word before the first colon (lora, hypernet ...). items: all arguments in order, as texts.
    """

    kind: str
    items: tuple[str, ...]

    @property
    def positional(self) -> tuple[str, ...]:
        """Arguments that are not of the form `key=value`; the first is the network's name."""
        return tuple(item for item in self.items if not _is_named(item))

    @property
    def named(self) -> dict[str, str]:
        """Arguments of the form `key=value`; of a repeated key the last counts."""
        return dict(item.split("=") for item in self.items if _is_named(item))


def take_network_tags(text: str) -> tuple[str, list[NetworkTag]]:
    """The prompt without its tags, and the tags in order. What surrounds a tag stays, spaces included."""
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
    """Start, end and content of each tag. A search per tag for its ">" keeps the time linear."""
    position = 0
    while (head := TAG_HEAD.search(text, position)) is not None:
        close = text.find(">", head.end())
        if close < 0:
            return
        if close == head.end():
            position = close
            continue
        yield head.start(), close + 1, NetworkTag(head["kind"], tuple(text[head.end() : close].split(":")))
        position = close + 1


def _is_named(item: str) -> bool:
    """Exactly one equals sign: with two the recorded program takes the whole for a positional argument."""
    return item.count("=") == 1
