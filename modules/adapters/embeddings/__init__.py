"""Textual inversions (Gal et al. 2022): words that stand for learnt vectors."""

from modules.adapters.embeddings.reading import (
    EMBEDDING_ENDINGS,
    Embedding,
    bundled_embeddings,
    read_embedding,
)
from modules.adapters.embeddings.table import (
    EmbeddingTable,
    KnownEmbeddings,
    Lookup,
    MetEmbeddings,
    known_embeddings,
)

__all__ = [
    "EMBEDDING_ENDINGS",
    "Embedding",
    "EmbeddingTable",
    "KnownEmbeddings",
    "Lookup",
    "MetEmbeddings",
    "bundled_embeddings",
    "known_embeddings",
    "read_embedding",
]
