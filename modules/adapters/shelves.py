"""The folders of adapters that a user has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modules.adapters.embeddings import EMBEDDING_ENDINGS
from modules.adapters.files import AdapterShelf
from modules.checkpoints import HashCache

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["AdapterShelves"]

NETWORK_ENDINGS = (".safetensors", ".pt", ".ckpt")
HYPERNETWORK_ENDINGS = (".pt",)


class AdapterShelves:
    """LoRAs and their relatives, hypernetworks, embeddings."""

    def __init__(self, folders: Folders, hashes: HashCache) -> None:
        self.networks = AdapterShelf((*folders.loras, *folders.lycoris), NETWORK_ENDINGS, hashes)
        self.hypernetworks = AdapterShelf(folders.hypernetworks, HYPERNETWORK_ENDINGS, hashes)
        self.embeddings = AdapterShelf(folders.embeddings, EMBEDDING_ENDINGS, hashes)

    def refresh(self) -> None:
        """Look into all the folders again."""
        for shelf in (self.networks, self.hypernetworks, self.embeddings):
            shelf.refresh()
