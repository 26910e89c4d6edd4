"""The networks that are in a model's weights: put in, exchanged, and taken out again exactly."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from modules.adapters.files import AdapterFile
from modules.adapters.kinds import Part
from modules.adapters.names import Place, module_places
from modules.adapters.network import Magnitudes, Network, added_weight, module_of, read_network
from modules.checkpoints import Model, exact_weight, narrowed
from modules.errors import EaselError

__all__ = ["NetworkStack", "WantedNetwork"]

log = logging.getLogger(__name__)

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
    """The numbers of a module before any network; they are kept as they are and put back, never computed."""

    weight: Tensor
    bias: Tensor | None


class NetworkStack:
    """The networks in one model. Weights are changed once; a step of sampling costs nothing more."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._wanted: tuple[Any, ...] = ()
        self._networks: dict[tuple[Any, ...], Network] = {}
        self._originals: dict[Place, _Original] = {}
        self.applied: tuple[AdapterFile, ...] = ()
        self.notes: tuple[str, ...] = ()
        """What of the wanted networks was left out, in sentences."""

    @torch.no_grad()
    def use(self, wanted: Sequence[WantedNetwork], magnitudes: Magnitudes = Magnitudes.AUTOMATIC) -> bool:
        """Have exactly these networks in the weights, added up in this order; whether a text encoder changed.

        The same ones again cost nothing. What cannot be used is left out, and `notes` say why.
        """
        key = (magnitudes, *((each, each.file.changed_at) for each in wanted))
        if key == self._wanted:
            return False
        had_text = any(place.is_text for place in self._originals)
        # Should this fail half-way, the next call must not take what is there for what was wanted before.
        self._wanted = ()
        self._restore()
        found = self._read(wanted, magnitudes)
        for place in dict.fromkeys(place for _, network in found for place in network.parts):
            self._change(
                place, [(each, network.parts[place]) for each, network in found if place in network.parts]
            )
        self._wanted = key
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
        key = (str(file.path), file.changed_at, magnitudes)
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

    def _restore(self) -> None:
        for place, original in self._originals.items():
            module = module_of(self.model, place)
            _set(module, "weight", original.weight)
            if original.bias is not None:
                _set(module, "bias", original.bias)
        self._originals.clear()

    def _change(self, place: Place, parts: Sequence[tuple[WantedNetwork, Part]]) -> None:
        module = module_of(self.model, place)
        weight, bias = module.weight, getattr(module, "bias", None)
        assert isinstance(weight, Tensor)
        self._originals[place] = _Original(weight.data, None if bias is None else bias.data)
        changed = exact_weight(module)
        for wanted, part in parts:
            changed = added_weight(changed, part, wanted.strength(place), wanted.ranks)
            if bias is not None and part.bias is not None:
                shift = part.bias.to(bias).reshape(bias.shape) * wanted.strength(place)
                _set(module, "bias", module.bias.data + shift)
        _set(module, "weight", narrowed(changed, weight.dtype))


def _set(module: nn.Module, name: str, numbers: Tensor) -> None:
    parameter = getattr(module, name)
    parameter.data = numbers
