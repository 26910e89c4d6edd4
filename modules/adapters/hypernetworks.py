"""Hypernetworks: small networks before the keys and values of every attention of a certain width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from modules.adapters.files import AdapterFile
from modules.adapters.fitting import MALFORMED, is_finite
from modules.checkpoints import FileStamp, computing_dtype, read_tree, told_kind
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
WIDEST = 1 << 16
"""Numbers of a context; those of the largest models have some thousands."""
OLD_LAYERS = {"linear1": "linear.0", "linear2": "linear.1"}


@dataclass(frozen=True, slots=True, eq=False)
class Hypernetwork:
    """By the width of the context: what changes the keys' input, and what the values'. damaged: widths whose
    layers do not go together.
    """

    pairs: Mapping[int, tuple[nn.Module, nn.Module]]
    damaged: tuple[int, ...] = ()

    def notes(self, name: str) -> Iterator[str]:
        """What a person is told about what was left out."""
        if self.damaged:
            widths = ", ".join(map(str, self.damaged))
            yield (
                f"The hypernetwork {name} is damaged: its layers for contexts {widths} wide do not fit "
                "together or hold numbers that are none, and were left out."
            )


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
    if not found:
        kind = told_kind([str(key) for key in tree]) if isinstance(tree, dict) else ""
        is_kind = f": it is {kind}" if kind else "."
        raise EaselError(f"{path.name} holds no hypernetwork, so it was left out{is_kind}")
    pairs, damaged = {}, []
    for width, pair in found.items():
        made = _pair(width, pair, tree)
        if made:
            pairs[width] = made
        else:
            damaged.append(width)
    network = Hypernetwork(pairs, tuple(damaged))
    if not pairs:
        raise EaselError(" ".join(network.notes(path.name)))
    return network


def _pair(width: int, pair: Any, facts: Mapping[str, Any]) -> tuple[nn.Module, nn.Module] | None:
    """The two networks for contexts of `width`; None where they cannot be made, or do not answer such a
    context with one of its kind.
    """
    if not isinstance(pair, list) or len(pair) < 2 or width > WIDEST:
        return None
    try:
        keys, values = _layers(pair[0], facts), _layers(pair[1], facts)
        tried = torch.zeros(1, 1, width)
        fits = all(_is_whole(each) and each(tried).shape == tried.shape for each in (keys, values))
    except (AttributeError, KeyError, *MALFORMED):
        return None
    return (keys, values) if fits else None


def _is_whole(network: nn.Module) -> bool:
    """Whether it has numbers, all of which are such."""
    parameters = list(network.parameters())
    return bool(parameters) and all(is_finite(each.data) for each in parameters)


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
                network = read_hypernetwork(each.file.path)
                notes += network.notes(each.file.path.name)
                self._install(network, each)
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
