"""A network file in memory: a LoRA or one of its relatives, its parts matched to the modules of a model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from torch import Tensor, nn

from modules.adapters.kinds import LowRank, Part, Tensors, read_part
from modules.adapters.names import Adaptable, Place, split_name
from modules.checkpoints import TensorFile, open_tensors
from modules.errors import EaselError

__all__ = ["Magnitudes", "Network", "add_to_weight", "module_of", "read_network"]

SHOWN = 3
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
    """What a file changes in one model, by module; and the names in it that have no place there."""

    parts: Mapping[Place, Part]
    unmatched: tuple[str, ...] = ()
    has_unused_magnitudes: bool = False

    def notes(self, name: str) -> Iterator[str]:
        """What a person is told about the parts that were left out."""
        if self.has_unused_magnitudes:
            yield (
                f"LoRA {name} holds magnitudes (DoRA) and its metadata does not say that it was trained with "
                "them: they are left out. The setting Apply magnitudes of DoRA: Always uses them."
            )
        if not self.unmatched:
            return
        count = len(self.unmatched)
        such = "such as " if count > SHOWN else ""
        all_parts, shown = count + len(self.parts), ", ".join(self.unmatched[:SHOWN])
        yield f"LoRA {name}: {count} of its {all_parts} parts fit no module of this model: {such}{shown}."


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
        groups = _grouped(file)
        if not groups:
            raise EaselError(f"{path.name} holds no LoRA or network of that kind, so it was left out.")
        wanted = magnitudes is Magnitudes.ALWAYS
        if magnitudes is Magnitudes.AUTOMATIC:
            wanted = _was_trained_with_magnitudes(file)
        parts: dict[Place, Part] = {}
        unmatched: list[str] = []
        for module, names in groups.items():
            place = places.get(module)
            part = _read(file, names, wanted)
            if place is None or part is None or not _fits(part, module_of(model, place)):
                unmatched.append(module)
            else:
                parts[place] = part
    if not parts:
        raise EaselError(_sentence_of_mismatch(path, model, groups, file))
    holds = any("dora_scale" in names for names in groups.values())
    unused = holds and not wanted and magnitudes is Magnitudes.AUTOMATIC
    return Network(parts, tuple(sorted(unmatched)), unused)


def _was_trained_with_magnitudes(file: TensorFile) -> bool:
    """Whether the file itself says that it is a DoRA: by its trainer's metadata, or in the names of PEFT.

    The recorded program is older than DoRA and reads such a file as a plain LoRA, later ones do not; so a
    file that is silent is drawn as recorded, and `Network.notes` says so.
    """
    if any("lora_magnitude_vector" in name for name in file.tensors):
        return True
    arguments = file.metadata.get("ss_network_args", "") + file.metadata.get("ot_config", "")
    return bool(SAYS_DORA.search(arguments))


def _grouped(file: TensorFile) -> dict[str, dict[str, str]]:
    """Module -> the field's name of a tensor -> its name in the file."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in file.tensors:
        if found := split_name(name):
            groups[found[0]][found[1]] = name
    return groups


def _read(file: TensorFile, names: Mapping[str, str], with_magnitudes: bool) -> Part | None:
    tensors: Tensors = {name: _widened(file.read(stored)) for name, stored in names.items()}
    return read_part(tensors, with_magnitudes)


def _widened(tensor: Tensor) -> Tensor:
    """Numbers that no processor computes with, of files stored in 8 bits, in half precision."""
    return tensor.half() if tensor.dtype.is_floating_point and tensor.dtype.itemsize == 1 else tensor


def _fits(part: Part, module: nn.Module) -> bool:
    """Whether the part can be applied: told by the shapes alone, without numbers."""
    weight = module.weight
    assert isinstance(weight, nn.Parameter)
    if isinstance(part, LowRank) and part.mid is None:
        return part.fits(weight.shape)
    try:
        return part.delta(torch.empty(weight.shape, device="meta"), None).shape == weight.shape
    except (RuntimeError, ValueError, IndexError):
        return False


def _sentence_of_mismatch(
    path: Path, model: Adaptable, groups: Mapping[str, Mapping[str, str]], file: TensorFile
) -> str:
    made_for = _family_of(groups, file)
    if made_for and made_for != str(model.family):
        return (
            f"{path.name} is made for {made_for}, and {model.checkpoint.name} is a {model.family} "
            "checkpoint. It was left out; choose a checkpoint of its family, or another LoRA."
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
