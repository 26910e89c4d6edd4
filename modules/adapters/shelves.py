"""The folders of adapters that a user has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modules.adapters.embeddings import EMBEDDING_ENDINGS
from modules.adapters.files import AdapterShelf, StrayFiles
from modules.checkpoints import HashCache, is_network
from modules.listing import FileTree

if TYPE_CHECKING:
    from modules.folders import Folders

__all__ = ["AdapterShelves"]

NETWORK_ENDINGS = (".safetensors", ".pt", ".ckpt")
HYPERNETWORK_ENDINGS = (".pt",)


class AdapterShelves:
    """LoRAs and their relatives, hypernetworks, embeddings."""

    def __init__(self, folders: Folders, hashes: HashCache) -> None:
        # Guides of the first year put LoRAs among the checkpoints.
        strays = StrayFiles(
            folders.checkpoints[:1],
            folders.checkpoints[1:],
            FileTree(folders.checkpoints, NETWORK_ENDINGS),
            is_network,
            "among the checkpoints",
        )
        roots = (*folders.loras, *folders.lycoris)
        self.networks = AdapterShelf(roots, NETWORK_ENDINGS, hashes, "LoRA", strays)
        self.hypernetworks = AdapterShelf(folders.hypernetworks, HYPERNETWORK_ENDINGS, hashes, "hypernetwork")
        self.embeddings = AdapterShelf(folders.embeddings, EMBEDDING_ENDINGS, hashes, "embedding")

    def refresh(self) -> None:
        """Look into all the folders again."""
        for shelf in (self.networks, self.hypernetworks, self.embeddings):
            shelf.refresh()
