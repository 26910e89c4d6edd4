"""The adapters of one loaded model: what it wears for a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.adapters.embeddings import EmbeddingTable
from modules.adapters.files import AdapterFile
from modules.adapters.hypernetworks import HypernetworkHooks
from modules.adapters.network import Magnitudes
from modules.adapters.shelves import AdapterShelves
from modules.adapters.stack import NetworkStack
from modules.adapters.tags import read_tags
from modules.checkpoints import Model
from modules.prompts import NetworkTag

__all__ = ["Wardrobe", "Worn"]


@dataclass(frozen=True, slots=True)
class Worn:
    """What a prompt's tags came to: the files in use, in the prompt's order, and sentences about what is
    not.
    """

    networks: tuple[AdapterFile, ...] = ()
    hypernetworks: tuple[AdapterFile, ...] = ()
    notes: tuple[str, ...] = ()
    changed_text: bool = False
    """Whether texts that were encoded before would be encoded otherwise now."""


class Wardrobe:
    """Puts on what a prompt asks for, and takes off everything else."""

    def __init__(self, model: Model, shelves: AdapterShelves) -> None:
        self._shelves = shelves
        self._networks = NetworkStack(model)
        self._hypernetworks = HypernetworkHooks(model.unet, model.policy.device)
        self.embeddings = EmbeddingTable(model, shelves.embeddings)

    def now_in(self, model: Model) -> None:
        """`model` is the same model with another VAE; nothing else of it has changed."""
        self._networks.model = model
        self.embeddings.model = model

    def wear(self, tags: Sequence[NetworkTag], magnitudes: Magnitudes = Magnitudes.AUTOMATIC) -> Worn:
        """Have exactly the adapters of `tags` in the model. Raises InvalidRequest for a tag that cannot be
        read.
        """
        wanted = read_tags(tags, self._shelves.networks, self._shelves.hypernetworks)
        changed = self._networks.use(wanted.networks, magnitudes)
        changed = self.embeddings.bundle(self._networks.embeddings) or changed
        self._hypernetworks.use(wanted.hypernetworks)
        return Worn(
            networks=self._networks.applied,
            hypernetworks=self._hypernetworks.applied,
            notes=(*wanted.notes, *self._networks.notes, *self._hypernetworks.notes),
            changed_text=changed,
        )
