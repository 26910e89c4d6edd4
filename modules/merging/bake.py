"""LoRAs and their relatives computed into a checkpoint's tensors, as they are into a loaded model's.

A network names modules; a file has tensors, some of which hold several modules (OpenCLIP's attention) or one
on its side. So the plan has, for each tensor that is concerned, the windows in it that are parameters of
modules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from modules.adapters import (
    Magnitudes,
    Network,
    Place,
    WantedNetwork,
    add_to_weight,
    module_of,
    module_places,
    read_network,
)
from modules.checkpoints import CheckpointFile, ModelOutline, StoredTensor, outline_model
from modules.errors import EaselError, InvalidRequest

__all__ = ["BakePlan", "Baker", "Window", "plan_bake"]


@dataclass(frozen=True, slots=True)
class Window:
    """A parameter as a window on a tensor of the file; offset and stride count elements."""

    place: Place
    is_bias: bool
    parameter_shape: tuple[int, ...]
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class BakePlan:
    """Which tensors networks change, and where. Their numbers are not in memory."""

    checkpoint: CheckpointFile
    configs: Path
    networks: tuple[WantedNetwork, ...]
    magnitudes: Magnitudes
    windows: Mapping[str, tuple[Window, ...]]
    """By the tensor's name in the file."""
    notes: tuple[str, ...]
    largest: int
    """Bytes that the networks take in memory."""


class Baker:
    """A plan with the networks' numbers in memory."""

    def __init__(self, plan: BakePlan) -> None:
        self._plan = plan
        with outline_model(plan.checkpoint, plan.configs) as outline:
            self._networks = _read(plan.networks, outline, plan.magnitudes)

    def change(self, name: str, tensor: Tensor) -> Tensor:
        """The tensor called `name`, float32 and contiguous, with the networks in it; changed in place."""
        for window in self._plan.windows[name]:
            numbers = tensor.as_strided(window.shape, window.stride, window.offset)
            changed = numbers.reshape(window.parameter_shape).contiguous()
            for wanted, network in self._networks:
                _change(changed, window, wanted, network)
            numbers.copy_(changed.reshape(window.shape))
        return tensor


def plan_bake(
    checkpoint: CheckpointFile,
    tensors: Mapping[str, StoredTensor],
    networks: Sequence[WantedNetwork],
    configs: Path,
    magnitudes: Magnitudes,
) -> BakePlan:
    """Match the networks to the checkpoint, whose `tensors` these are.

    Raises InvalidRequest for `loras` when one does not fit, EaselError for a checkpoint that is not whole.
    """
    with outline_model(checkpoint, configs) as outline:
        try:
            found = _read(networks, outline, magnitudes)
        except EaselError as error:
            raise InvalidRequest("loras", str(error)) from error
        windows = _windows(found, outline, tensors)
    notes = [note for wanted, network in found for note in network.notes(wanted.file.name)]
    notes += [f"LoRA {each.file.name}: {each.file.note}" for each in networks if each.file.note]
    size = sum(wanted.file.size for wanted in networks)
    return BakePlan(checkpoint, configs, tuple(networks), magnitudes, windows, tuple(notes), size)


def _read(
    networks: Sequence[WantedNetwork], outline: ModelOutline, magnitudes: Magnitudes
) -> list[tuple[WantedNetwork, Network]]:
    places = module_places(outline)
    return [(each, read_network(each.file.path, outline, places, magnitudes)) for each in networks]


def _windows(
    found: Sequence[tuple[WantedNetwork, Network]],
    outline: ModelOutline,
    tensors: Mapping[str, StoredTensor],
) -> dict[str, tuple[Window, ...]]:
    owners = sorted((stored.start, name) for name, stored in tensors.items() if stored.numel)
    starts = [start for start, _ in owners]
    windows: defaultdict[str, list[Window]] = defaultdict(list)
    for place, is_bias in _concerned(found):
        parameter = "bias" if is_bias else "weight"
        stored = outline.stored(place.tower, f"{place.name}.{parameter}")
        if stored is None:
            continue
        name = owners[bisect_right(starts, stored.start) - 1][1]
        whole = tensors[name]
        if whole.stride is not None:
            raise EaselError(
                f"{outline.checkpoint.name} keeps {name} in an order that networks cannot be baked into. "
                "Convert it to safetensors first."
            )
        shape = tuple(getattr(module_of(outline, place), parameter).shape)
        offset = (stored.start - whole.start) // whole.dtype.itemsize
        windows[name].append(Window(place, is_bias, shape, stored.shape, stored.strides, offset))
    return {name: tuple(each) for name, each in windows.items()}


def _concerned(found: Sequence[tuple[WantedNetwork, Network]]) -> dict[tuple[Place, bool], None]:
    """The parameters that change, each once: its module, and whether it is the bias."""
    concerned: dict[tuple[Place, bool], None] = {}
    for wanted, network in found:
        for place, part in network.parts.items():
            if wanted.strength(place):
                concerned[place, False] = None
                if part.bias is not None:
                    concerned[place, True] = None
    return concerned


def _change(numbers: Tensor, window: Window, wanted: WantedNetwork, network: Network) -> None:
    part, strength = network.parts.get(window.place), wanted.strength(window.place)
    if part is None:
        return
    if not window.is_bias:
        add_to_weight(numbers, part, strength)
    elif part.bias is not None:
        numbers.add_(part.bias.to(numbers).reshape(numbers.shape) * strength)
