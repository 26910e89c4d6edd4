"""Adapters: what changes a loaded model for a while, and is taken off it again exactly.

LoRA and its relatives (`kinds/`, a file each) change weights: `stack` puts them in and takes them out.
Hypernetworks stand before the attention's keys and values. Embeddings (`embeddings/`) are words of the
prompt. `wardrobe` is all of it for one loaded model.
"""

from modules.adapters.embeddings import (
    Embedding,
    EmbeddingTable,
    KnownEmbeddings,
    MetEmbeddings,
    known_embeddings,
    read_embedding,
)
from modules.adapters.files import AdapterFile, AdapterShelf
from modules.adapters.names import Adaptable, Place, module_places
from modules.adapters.network import Magnitudes, Network, add_to_weight, module_of, read_network
from modules.adapters.shelves import AdapterShelves
from modules.adapters.stack import WantedNetwork
from modules.adapters.wardrobe import Wardrobe, Worn

__all__ = [
    "Adaptable",
    "AdapterFile",
    "AdapterShelf",
    "AdapterShelves",
    "Embedding",
    "EmbeddingTable",
    "KnownEmbeddings",
    "Magnitudes",
    "MetEmbeddings",
    "Network",
    "Place",
    "WantedNetwork",
    "Wardrobe",
    "Worn",
    "add_to_weight",
    "known_embeddings",
    "module_of",
    "module_places",
    "read_embedding",
    "read_network",
]
