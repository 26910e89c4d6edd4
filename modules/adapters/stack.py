"""The networks that are in a model's weights: put in, exchanged, and taken out again exactly."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from modules.adapters.embeddings import Embedding
from modules.adapters.files import AdapterFile
from modules.adapters.kinds import Part
from modules.adapters.names import Place, module_places
from modules.adapters.network import Magnitudes, Network, add_to_weight, module_of, read_network
from modules.checkpoints import Model, as_kept, exact_weight, weight_of
from modules.errors import EaselError
from modules.memory import each_alone

__all__ = ["NetworkStack", "WantedNetwork"]

log = logging.getLogger(__name__)

COMPACT = torch.float16
NARROW = (torch.float16, torch.bfloat16)
CHUNK = 1 << 17
"""Numbers that are narrowed at a time: so many stay in the caches of a processor, and need no new memory."""
MOST_KEPT = 4
"""Network files that stay in memory; the next job may want them again."""


@dataclass(frozen=True, slots=True)
class WantedNetwork:
    """A network file with its strength in the text encoders and in the UNet; `ranks`: only the first so
    many.
    """

    file: AdapterFile
    text: float = 1.0
    unet: float = 1.0
    ranks: int | None = None

    def strength(self, place: Place) -> float:
        """The strength at a module."""
        return self.text if place.is_text else self.unet


@dataclass(frozen=True, slots=True)
class _Original:
    """The numbers of a module before any network; they are put back, never computed.

    `kept_beside`: the weight is a copy in half the bits, of the same numbers, and the module's own memory is
    written over: most of the time of putting networks on is new memory.
    """

    weight: Tensor
    bias: Tensor | None
    kept_beside: bool

    @classmethod
    def of(cls, module: nn.Module) -> _Original:
        """What `module` holds now."""
        bias = getattr(module, "bias", None)
        own = weight_of(module)
        compact = _compact(own)
        return cls(
            own if compact is None else compact, None if bias is None else bias.data, compact is not None
        )

    def is_narrower_than(self, module: nn.Module) -> bool:
        """Whether the module's weight is wider now, and its memory can be written over."""
        return self.weight.dtype in NARROW and weight_of(module).dtype is torch.float32

    def put_back(self, module: nn.Module) -> None:
        """Let `module` hold them again."""
        if self.kept_beside:
            weight_of(module).copy_(self.weight)
        else:
            _set(module, "weight", self.weight)
        self.put_bias_back(module)

    def put_bias_back(self, module: nn.Module) -> None:
        """Let `module` hold its bias again, where it has one."""
        if self.bias is not None:
            _set(module, "bias", self.bias)


class NetworkStack:
    """The networks in one model. Weights are changed once; a step of sampling costs nothing more."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._wanted: tuple[Any, ...] = ()
        self._networks: dict[tuple[Any, ...], Network] = {}
        self._originals: dict[Place, _Original] = {}
        self.applied: tuple[AdapterFile, ...] = ()
        self.embeddings: Mapping[str, Embedding] = {}
        """What the networks bring along, by the words of prompts; of several for one word the first."""
        self.notes: tuple[str, ...] = ()
        """What of the wanted networks was left out, in sentences."""

    @torch.no_grad()
    def use(self, wanted: Sequence[WantedNetwork], magnitudes: Magnitudes = Magnitudes.AUTOMATIC) -> bool:
        """Have exactly these networks in the weights, added up in this order; whether a text encoder changed.

        The same ones again cost nothing. What cannot be used is left out, and `notes` say why.
        """
        key = (magnitudes, *((each, each.file.stamp) for each in wanted))
        if key == self._wanted:
            return False
        had_text = any(place.is_text for place in self._originals)
        self.model.placement.clear()
        # Should this fail half-way, the next call must not take what is there for what was wanted before.
        self._wanted = ()
        found = self._read(wanted, magnitudes)
        changing = dict.fromkeys(place for _, network in found for place in network.parts)
        self._restore([place for place in self._originals if self._leaves(place, changing)])
        self._change_all(changing, found)
        self._wanted = key
        self.embeddings = {
            word: each for _, network in reversed(found) for word, each in network.embeddings.items()
        }
        self.applied = tuple(dict.fromkeys(each.file for each, _ in found))
        return had_text or any(place.is_text for place in self._originals)

    def _read(
        self, wanted: Sequence[WantedNetwork], magnitudes: Magnitudes
    ) -> list[tuple[WantedNetwork, Network]]:
        notes, found = [], []
        for each in wanted:
            try:
                network = self._network(each.file, magnitudes)
            except EaselError as error:
                log.warning("%s", error)
                notes.append(str(error))
                continue
            found.append((each, network))
            notes += network.notes(each.file.name)
        self.notes = tuple(dict.fromkeys(notes))
        return found

    def _network(self, file: AdapterFile, magnitudes: Magnitudes) -> Network:
        key = (str(file.path), file.stamp, magnitudes)
        if key not in self._networks:
            network = read_network(file.path, self.model, self._places, magnitudes)
            while len(self._networks) >= MOST_KEPT:
                self._networks.pop(next(iter(self._networks)))
            self._networks[key] = network
        # The one used last leaves last.
        self._networks[key] = self._networks.pop(key)
        return self._networks[key]

    @cached_property
    def _places(self) -> Mapping[str, Place]:
        return module_places(self.model)

    def _leaves(self, place: Place, changing: Collection[Place]) -> bool:
        """Whether the module has to be as it was, before `changing` ones are computed from what is kept."""
        module = module_of(self.model, place)
        return place not in changing or not self._originals[place].is_narrower_than(module)

    def _restore(self, places: Iterable[Place]) -> None:
        for place in places:
            self._originals.pop(place).put_back(module_of(self.model, place))

    def _change_all(self, places: Iterable[Place], found: Sequence[tuple[WantedNetwork, Network]]) -> None:
        @torch.no_grad()
        def change(place: Place) -> None:
            self._change(
                place, [(each, network.parts[place]) for each, network in found if place in network.parts]
            )

        if self.model.policy.device.type == "cpu":
            each_alone(change, places)
        else:
            for place in places:
                change(place)

    def _change(self, place: Place, parts: Sequence[tuple[WantedNetwork, Part]]) -> None:
        module = module_of(self.model, place)
        original = self._originals.get(place)
        if original is None:
            original = self._originals[place] = _Original.of(module)
        else:
            # Only those whose memory can be written over stay changed until here, see `_leaves`.
            weight_of(module).copy_(original.weight)
        original.put_bias_back(module)
        # The device rounds sums in its own way: they are made there, wherever the weights lie.
        changed = self._to_change(module, original).to(self.model.policy.device)
        for wanted, part in parts:
            add_to_weight(changed, part, wanted.strength(place), wanted.ranks)
            if original.bias is not None and part.bias is not None:
                shift = part.bias.to(original.bias).reshape(original.bias.shape) * wanted.strength(place)
                _set(module, "bias", module.bias.data + shift)
        if changed.data_ptr() != weight_of(module).data_ptr():
            self._write(module, original, as_kept(module, changed))

    def _to_change(self, module: nn.Module, original: _Original) -> Tensor:
        """The original weight, which `module` holds, in float32 to be added to: in the module's own memory
        where that may be.
        """
        if original.is_narrower_than(module):
            return weight_of(module)
        exact = exact_weight(module)
        return exact.clone() if exact.data_ptr() == weight_of(module).data_ptr() else exact

    @staticmethod
    def _write(module: nn.Module, original: _Original, numbers: Tensor) -> None:
        if original.is_narrower_than(module):
            weight_of(module).copy_(numbers)
        else:
            _set(module, "weight", numbers)


def _compact(weight: Tensor) -> Tensor | None:
    """`weight` in half its bits, where these say the same and the machine's own memory holds it."""
    if weight.device.type != "cpu" or weight.dtype is not torch.float32 or not weight.is_contiguous():
        return None
    compact, widened = torch.empty_like(weight, dtype=COMPACT), torch.empty(min(CHUNK, weight.numel()))
    for narrow, exact in zip(compact.view(-1).split(CHUNK), weight.view(-1).split(CHUNK), strict=True):
        narrow.copy_(exact)
        if not torch.equal(widened[: len(narrow)].copy_(narrow), exact):
            return None
    return compact


def _set(module: nn.Module, name: str, numbers: Tensor) -> None:
    parameter = getattr(module, name)
    parameter.data = numbers.to(parameter.device)
