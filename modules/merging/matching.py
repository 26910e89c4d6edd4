"""Which tensors of several models belong together, and what becomes of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import torch

from modules.checkpoints import StoredTensor
from modules.merging.mixing import FirstChannels, Mix, common_dtype
from modules.merging.plan import Mismatch, Part, Piece
from modules.merging.request import Precision

__all__ = ["Blend", "Kind", "Matching", "match_tensors", "stored_as"]

MERGED = "model"
"""What stands in the names of tensors that take part, as in the field's programs: those of networks have it,
those of noise schedules do not.
"""
POSITIONS = re.compile(r"^cond_stage_model\..*position_ids$")
"""Left alone as there."""
LATENT_CHANNELS = 4


class Kind(StrEnum):
    """What the result is besides an ordinary model; the value stands in its name."""

    INPAINTING = ".inpainting"
    PIX2PIX = ".instruct-pix2pix"


KINDS = {9: Kind.INPAINTING, 8: Kind.PIX2PIX}
"""By the channels of the first layer of the UNet."""

Blend = Callable[[str, frozenset[str]], tuple[tuple[str, ...], Mix | None] | None]
"""For a tensor's name and the letters of the models that have it: of which models what is computed. A Mix of
None is a tensor that takes part and stays as it is in the first of them; None: one that takes no part.
"""


@dataclass(slots=True)
class Matching:
    """The pieces of the result by name, in the first model's order, and what was met on the way."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    mismatched: list[Mismatch] = field(default_factory=list)
    only_in_some: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kind: Kind | None = None
    wrong_way_round: Kind | None = None
    """The first model is an ordinary one and another is of this kind."""


def match_tensors(
    models: Mapping[str, Mapping[str, StoredTensor]], base: str, blend: Blend, save_as: Precision
) -> Matching:
    """The result's tensors: those of the model `base`, computed as `blend` says where the others have them
    too.

    models: tensors by name, by the model's letter. Tensors of different shapes do not go together, but for
    the first layer of a model for inpainting or editing, of which the channels of the latent are merged.
    """
    found = Matching()
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for letter, tensors in models.items():
        for name in tensors:
            owners[name].append(letter)
    for name, stored in models[base].items():
        takes_part = MERGED in name and stored.dtype.is_floating_point and not POSITIONS.match(name)
        blended = blend(name, frozenset(owners[name])) if takes_part else None
        letters, mix = blended or ((base,), None)
        parts = {letter: models[letter][name] for letter in letters}
        found.pieces[name] = _piece(found, name, base, stored, parts, mix, save_as if blended else None)
    found.only_in_some = _incomplete(owners, len(models))
    return found


def _piece(
    found: Matching,
    name: str,
    base: str,
    stored: StoredTensor,
    parts: Mapping[str, StoredTensor],
    mix: Mix | None,
    save_as: Precision | None,
) -> Piece:
    shapes = {base: stored.shape} | {letter: part.shape for letter, part in parts.items()}
    dtype = common_dtype([part.dtype for part in parts.values()])
    if mix and len(set(shapes.values())) > 1:
        kind, wrong = _kinds(shapes, base)
        if kind is None:
            found.wrong_way_round = found.wrong_way_round or wrong
            found.mismatched.append(Mismatch(name, shapes))
            parts, mix = {base: stored}, None
        else:
            # As in the field the changed channels are put into the first model's own tensor.
            found.kind, dtype = kind, stored.dtype
            mix = FirstChannels(mix, LATENT_CHANNELS, base in parts)
            parts = {base: stored, **parts}
    places = tuple(Part(letter, part) for letter, part in parts.items())
    return Piece(name, stored.shape, stored_as(dtype, save_as), places, mix)


def _kinds(shapes: Mapping[str, tuple[int, ...]], base: str) -> tuple[Kind | None, Kind | None]:
    """What the first model is if the others go with its first channels; else what another one is that should
    have been the first.
    """
    own = shapes[base]
    others = {shape for shape in shapes.values() if shape != own}
    alike = all(shape[:1] + shape[2:] == own[:1] + own[2:] for shape in others) and len(own) == 4
    channels = {shape[1] for shape in others} if alike else set()
    if channels == {LATENT_CHANNELS}:
        return KINDS.get(own[1]), None
    wrong = [KINDS[count] for count in channels if count in KINDS and own[1] == LATENT_CHANNELS]
    return None, wrong[0] if wrong else None


def stored_as(dtype: torch.dtype, save_as: Precision | None) -> torch.dtype:
    """The type in which numbers of `dtype` are stored; None: they keep it."""
    if save_as in (None, Precision.KEEP) or not dtype.is_floating_point:
        return dtype
    found: torch.dtype = getattr(torch, str(save_as))
    return found


def _incomplete(owners: Mapping[str, list[str]], models: int) -> dict[str, tuple[str, ...]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, letters in owners.items():
        if len(letters) < models:
            groups[", ".join(letters)].append(name)
    return {letters: tuple(sorted(names)) for letters, names in groups.items()}
