"""A network file in memory: a LoRA or one of its relatives, its parts matched to the modules of a model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from torch import Tensor, nn

from modules.adapters.embeddings import Embedding, bundled_embeddings
from modules.adapters.fitting import MALFORMED, fitting_part, is_finite
from modules.adapters.kinds import LowRank, Part, Tensors, read_part
from modules.adapters.names import Adaptable, Place, split_name
from modules.adapters.tensor_names import BUNDLED
from modules.checkpoints import TensorFile, open_tensors, told_kind
from modules.errors import EaselError

__all__ = ["Magnitudes", "Network", "add_to_weight", "module_of", "read_network"]

PLAIN_NAMES = {"weight"}
"""What tensors of all kinds of files are called."""
FIRST_LAYER = Place(-1, "conv_in")
SHOWN = 3
LONGEST_SHOWN = 100
"""Characters of a name in a sentence."""
CONTEXT_FAMILIES = {
    768: "Stable Diffusion 1",
    1024: "Stable Diffusion 2",
    2048: "Stable Diffusion XL",
}


SAYS_DORA = re.compile(r'"(?:dora_wd|lora_decompose)"\s*:\s*"?true', re.IGNORECASE)


class Magnitudes(StrEnum):
    """Whether DoRA's magnitudes are applied: where the file says that it was trained so, always, or never."""

    AUTOMATIC = "Automatic"
    ALWAYS = "Always"
    NEVER = "Never"


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What a file changes in one model, by module; the names in it that have no place there, the names of
    parts that are damaged, and the embeddings that it brings along.
    """

    parts: Mapping[Place, Part]
    unmatched: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    has_unused_magnitudes: bool = False
    embeddings: Mapping[str, Embedding] = field(default_factory=dict)

    def notes(self, name: str) -> Iterator[str]:
        """What a person is told about the parts that were left out."""
        if self.has_unused_magnitudes:
            yield (
                f"LoRA {name} holds magnitudes (DoRA) and its metadata does not say that it was trained with "
                "them: they are left out. The setting Apply magnitudes of DoRA: Always uses them."
            )
        count = len(self.parts) + len(self.unmatched) + len(self.damaged)
        if self.unmatched:
            yield _sentence(name, self.unmatched, count, "fit no module of this model")
        if self.damaged:
            yield _sentence(name, self.damaged, count, "are damaged or incomplete")


def _sentence(name: str, left_out: tuple[str, ...], count: int, why: str) -> str:
    such = "such as " if len(left_out) > SHOWN else ""
    shown = ", ".join(each[:LONGEST_SHOWN] for each in left_out[:SHOWN])
    return f"LoRA {name}: {len(left_out)} of its {count} parts {why}: {such}{shown}."


def module_of(model: Adaptable, place: Place) -> nn.Module:
    """The module that `place` names."""
    root: nn.Module = model.towers[place.tower].encoder if place.is_text else model.unet
    return root.get_submodule(place.name)


def add_to_weight(weight: Tensor, part: Part, strength: float, ranks: int | None = None) -> None:
    """Add the change `part` of a network to `weight`, float32, in place; ranks: only its first so many."""
    if strength == 0:
        return
    if isinstance(part, LowRank) and part.mid is None and weight.is_contiguous():
        part.add_to(weight, strength, ranks)
    else:
        weight.add_(part.delta(weight, ranks) * strength)


def read_network(
    path: Path, model: Adaptable, places: Mapping[str, Place], magnitudes: Magnitudes = Magnitudes.AUTOMATIC
) -> Network:
    """Read the file and match it to `model`, whose modules have the names `places`.

    Raises EaselError for a file that cannot be read, holds no network, or is made for another family.
    """
    with open_tensors(path) as file:
        groups, unknown = _grouped(file)
        embeddings = bundled_embeddings(file)
        if not embeddings and all(names.keys() <= PLAIN_NAMES for names in groups.values()):
            raise EaselError(_sentence_of_another_kind(path, file))
        wanted = magnitudes is Magnitudes.ALWAYS
        if magnitudes is Magnitudes.AUTOMATIC:
            wanted = _was_trained_with_magnitudes(file)
        parts: dict[Place, Part] = {}
        unmatched, damaged = list(unknown), list[str]()
        for module, names in groups.items():
            place = places.get(module)
            if place is None:
                unmatched.append(module)
                continue
            part = _read(file, names, wanted)
            fitted = part and fitting_part(part, module_of(model, place), is_first=place == FIRST_LAYER)
            if fitted is not None:
                parts[place] = fitted
            else:
                (damaged if part is None else unmatched).append(module)
    if not parts and not embeddings:
        raise EaselError(_sentence_of_mismatch(path, model, groups, file, bool(damaged)))
    holds = any("dora_scale" in names for names in groups.values())
    unused = holds and not wanted and magnitudes is Magnitudes.AUTOMATIC
    return Network(parts, tuple(sorted(unmatched)), tuple(sorted(damaged)), unused, embeddings)


def _was_trained_with_magnitudes(file: TensorFile) -> bool:
    """Whether the file itself says that it is a DoRA: by its trainer's metadata, or in the names of PEFT.

    The recorded program is older than DoRA and reads such a file as a plain LoRA, later ones do not; so a
    file that is silent is drawn as recorded, and `Network.notes` says so.
    """
    if any("lora_magnitude_vector" in name for name in file.tensors):
        return True
    arguments = file.metadata.get("ss_network_args", "") + file.metadata.get("ot_config", "")
    return bool(SAYS_DORA.search(arguments))


def _grouped(file: TensorFile) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Module -> the field's name of a tensor -> its name in the file; and the names that are no network's."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    unknown = []
    for name in file.tensors:
        if found := split_name(name):
            groups[found[0]][found[1]] = name
        elif not name.startswith(BUNDLED):
            unknown.append(name)
    return groups, unknown


def _read(file: TensorFile, names: Mapping[str, str], with_magnitudes: bool) -> Part | None:
    """The part of these tensors; None for a damaged one: half of a pair, a scale that is no number, NaN."""
    try:
        tensors: Tensors = {name: _widened(file.read(stored)) for name, stored in names.items()}
        if not all(map(is_finite, tensors.values())):
            return None
        return read_part(tensors, with_magnitudes)
    except MALFORMED:
        return None


def _widened(tensor: Tensor) -> Tensor:
    """Numbers that no processor computes with, of files stored in 8 bits, in half precision."""
    return tensor.half() if tensor.dtype.is_floating_point and tensor.dtype.itemsize == 1 else tensor


def _sentence_of_another_kind(path: Path, file: TensorFile) -> str:
    kind = told_kind(file.tensors)
    if kind:
        return f"{path.name} holds no LoRA or network of that kind, so it was left out: it is {kind}"
    return f"{path.name} holds no LoRA or network of that kind, so it was left out."


def _sentence_of_mismatch(
    path: Path,
    model: Adaptable,
    groups: Mapping[str, Mapping[str, str]],
    file: TensorFile,
    is_damaged: bool,
) -> str:
    made_for = _family_of(groups, file)
    if made_for and made_for != str(model.family):
        return (
            f"{path.name} is made for {made_for}, and {model.checkpoint.name} is a {model.family} "
            "checkpoint. It was left out; choose a checkpoint of its family, or another LoRA."
        )
    if is_damaged:
        return (
            f"{path.name} was left out: its parts are damaged, or fit no module of {model.checkpoint.name}. "
            "Their shapes are wrong or their numbers are none. Fetch the file again."
        )
    first = next(iter(groups))
    fits_nothing = f"{path.name} fits no module of {model.checkpoint.name}"
    return f"{fits_nothing} (its first part is {first}), so it was left out."


def _family_of(groups: Mapping[str, Mapping[str, str]], file: TensorFile) -> str | None:
    """The family that the width of the prompts tells, which the cross attention reads."""
    for module, names in groups.items():
        if module.endswith("attn2_to_k") and "lora_down.weight" in names:
            return CONTEXT_FAMILIES.get(file.tensors[names["lora_down.weight"]].shape[1])
    return "Stable Diffusion XL" if any(name.startswith("lora_te2_") for name in groups) else None
