"""Hypernetworks: small networks before the keys and values of every attention of a certain width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from modules.adapters.files import AdapterFile
from modules.checkpoints import FileStamp, computing_dtype, read_tree
from modules.errors import EaselError

__all__ = ["Hypernetwork", "HypernetworkHooks", "WantedHypernetwork", "read_hypernetwork"]

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "swish": nn.Hardswish,
    **{
        name.lower(): getattr(nn.modules.activation, name)
        for name in nn.modules.activation.__all__
        if name not in ("MultiheadAttention", "Softmax", "Softmax2d", "LogSoftmax", "Softmin", "Threshold")
    },
    **{name.lower(): partial(getattr(nn, name), dim=-1) for name in ("Softmax", "LogSoftmax", "Softmin")},
}
"""The names of the field: those of torch in small letters, and two of its own."""
OLD_LAYERS = {"linear1": "linear.0", "linear2": "linear.1"}


@dataclass(frozen=True, slots=True, eq=False)
class Hypernetwork:
    """By the width of the context: what changes the keys' input, and what the values'."""

    pairs: Mapping[int, tuple[nn.Module, nn.Module]]


@dataclass(frozen=True, slots=True)
class WantedHypernetwork:
    """A hypernetwork file and its strength."""

    file: AdapterFile
    strength: float = 1.0


def read_hypernetwork(path: Path) -> Hypernetwork:
    """Read a hypernetwork of the field (`.pt`) with whatever structure, activation, norms and dropout it has.

    Raises EaselError for a file that cannot be read or is none.
    """
    tree = read_tree(path)
    found = (
        {width: pair for width, pair in tree.items() if isinstance(width, int)}
        if isinstance(tree, dict)
        else {}
    )
    if not found or any(not isinstance(pair, list) or len(pair) < 2 for pair in found.values()):
        raise EaselError(f"{path.name} holds no hypernetwork, so it was left out.")
    try:
        return Hypernetwork(
            {width: (_layers(pair[0], tree), _layers(pair[1], tree)) for width, pair in found.items()}
        )
    except (AttributeError, KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise EaselError(
            f"The hypernetwork {path.name} is damaged or of an unknown structure ({error})."
        ) from error


def _layers(stored: Mapping[str, Tensor], facts: Mapping[str, Any]) -> nn.Module:
    """Linear layers and norms stand in the file by their numbers; what has no numbers, activations and
    dropout (which is for training alone), has left gaps in these.
    """
    numbered: dict[int, dict[str, Tensor]] = {}
    for name, tensor in stored.items():
        head, _, part = name.rpartition(".")
        number = int(OLD_LAYERS.get(head, head).rpartition(".")[2])
        numbered.setdefault(number, {})[part] = tensor
    made = [_layer(tensors) for _, tensors in sorted(numbered.items())]
    last = max(place for place, layer in enumerate(made) if isinstance(layer, nn.Linear))
    activation = facts.get("activation_func") or "linear"
    layers: list[nn.Module] = []
    for place, layer in enumerate(made):
        layers.append(layer)
        if isinstance(layer, nn.Linear) and (place < last or facts.get("activate_output")):
            layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers).requires_grad_(False).eval()


def _layer(tensors: Mapping[str, Tensor]) -> nn.Module:
    weight, bias = tensors["weight"].float(), tensors.get("bias")
    layer: nn.Module
    if weight.dim() == 2:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    else:
        layer = nn.LayerNorm(weight.shape[0], bias=bias is not None)
    layer.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return layer


class HypernetworkHooks:
    """The hypernetworks that a UNet draws with. They are small, and lie on the device while they are worn."""

    def __init__(self, unet: nn.Module, device: torch.device) -> None:
        self._unet, self._device = unet, device
        self._handles: list[RemovableHandle] = []
        self._wanted: tuple[tuple[WantedHypernetwork, FileStamp | None], ...] = ()
        self.applied: tuple[AdapterFile, ...] = ()
        self.notes: tuple[str, ...] = ()

    def use(self, wanted: Sequence[WantedHypernetwork]) -> None:
        """Draw with exactly these, one behind the other. What cannot be used is left out, and `notes` say
        why.
        """
        key = tuple((each, each.file.stamp) for each in wanted)
        if key == self._wanted:
            return
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        notes: list[str] = []
        applied: list[AdapterFile] = []
        for each in wanted:
            try:
                self._install(read_hypernetwork(each.file.path), each)
            except EaselError as error:
                notes.append(str(error))
            else:
                applied.append(each.file)
        self._wanted, self.notes, self.applied = key, tuple(notes), tuple(dict.fromkeys(applied))

    def _install(self, network: Hypernetwork, wanted: WantedHypernetwork) -> None:
        installed = len(self._handles)
        for module in self._unet.modules():
            keys, values = getattr(module, "to_k", None), getattr(module, "to_v", None)
            if not isinstance(keys, nn.Linear) or not isinstance(values, nn.Linear):
                continue
            pair = network.pairs.get(keys.in_features)
            if pair is None:
                continue
            for layer, change in zip((keys, values), pair, strict=True):
                change.to(self._device, computing_dtype(layer))
                self._handles.append(layer.register_forward_pre_hook(_Change(change, wanted.strength)))
        if len(self._handles) == installed:
            widths = ", ".join(map(str, network.pairs))
            raise EaselError(
                f"The hypernetwork {wanted.file.name} is for contexts {widths} wide, which this checkpoint "
                "does not have; it was left out."
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """Adds to the input of a layer what the hypernetwork makes of it."""

    network: nn.Module
    strength: float

    def __call__(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        context, *others = inputs
        own = next(self.network.parameters()).dtype
        # Under autocast some layers answer in float32 although the weights are narrow.
        with torch.autocast(context.device.type, enabled=False):
            change = self.network(context.to(own)).to(context.dtype)
            return (context + change * self.strength, *others)
