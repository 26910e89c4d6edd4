"""Drawing with less memory: what a run does differently once an allocation has failed.

A measure is a function: from a manner of drawing to a more sparing one and the words for it, or None where it
changes nothing. None of them changes a picture by more than rounding. A new one is a row in `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from modules.generation.run import Run
from modules.generation.strips import NOT_IN_STRIPS, SHARES, VaeStrips
from modules.generation.studio import Studio

__all__ = ["Manner", "manner_of", "spared", "with_decoding_spared"]

IN_STRIPS = "the VAE in strips"


@dataclass(frozen=True)
class Manner:
    """How a run is drawn: by whom, how its large pictures are coded, and whether each picture alone."""

    studio: Studio
    strips: VaeStrips | None = None
    alone: bool = False


Measure = Callable[[Run, Manner], tuple[Manner, str] | None]


def manner_of(run: Run, studio: Studio) -> Manner:
    """How `run` is drawn as long as the memory suffices."""
    return Manner(studio, run.vae_strips)


def spared(run: Run, manner: Manner) -> tuple[Manner, tuple[str, ...]]:
    """The most sparing manner for `run`, and words for what is another than in `manner`."""
    words: list[str] = []
    for measure in MEASURES:
        if taken := measure(run, manner):
            manner, word = taken
            words.append(word)
    return manner, tuple(words)


def with_decoding_spared(run: Run, manner: Manner, pixels: int) -> tuple[Manner, tuple[str, ...]]:
    """The manner in which pictures of `pixels` take the least to be decoded, nothing else being another."""
    if run.options.vae_strips == "Never":
        return manner, ()
    now = manner.strips or VaeStrips(share=SHARES[-1], decoding=NOT_IN_STRIPS, encoding=NOT_IN_STRIPS)
    changed = {"share": SHARES[-1], "decoding": min(now.decoding, pixels - 1)}
    return replace(manner, strips=now.model_copy(update=changed)), (IN_STRIPS,)


def _in_strips(run: Run, manner: Manner) -> tuple[Manner, str] | None:
    smallest = VaeStrips(share=SHARES[-1], decoding=0, encoding=0)
    if run.options.vae_strips == "Never" or manner.strips == smallest:
        return None
    return replace(manner, strips=smallest), IN_STRIPS


def _with_light_attention(run: Run, manner: Manner) -> tuple[Manner, str] | None:
    studio = manner.studio.with_light_attention()
    if studio == manner.studio:
        return None
    return replace(manner, studio=studio), "attention without its matrix"


def _in_lighter_mode(run: Run, manner: Manner) -> tuple[Manner, str] | None:
    """The models leave the device at once, so that there is room before anything is drawn again."""
    mode = manner.studio.lighten()
    return (manner, f"the memory mode {mode}") if mode else None


def _one_by_one(run: Run, manner: Manner) -> tuple[Manner, str] | None:
    """A script draws its groups itself."""
    if manner.alone or run.order.script or all(len(group) == 1 for group in run.groups):
        return None
    return replace(manner, alone=True), "one picture at a time"


MEASURES: tuple[Measure, ...] = (_in_strips, _with_light_attention, _in_lighter_mode, _one_by_one)
