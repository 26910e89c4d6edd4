"""Routes that list the files of extra networks: LoRA, hypernetworks, embeddings."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from modules.adapters import AdapterFile, Embedding
from modules.door import Router
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json
from modules.house import House
from modules.readings import READINGS
from modules.rest.errors import error_statuses
from modules.rest.sdapi.list_answers import EmbeddingItem, EmbeddingsAnswer, HypernetworkItem, LoraItem

__all__ = ["network_routes", "unpacked_metadata"]

METADATA_BOUNDS = JsonBounds(bytes=16 << 20, nodes=1_000_000)
"""Of one text of a file's metadata; trainers list every tag of their pictures."""


def network_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/sdapi/v1", tags=["lists"], responses=error_statuses())

    adapters = house.engine.adapters

    @router.get("/loras")
    def loras() -> list[LoraItem]:
        """The files of the LoRA folders, which prompts name as `<lora:name:strength>`."""
        adapters.networks.refresh()
        return [_lora(file) for file in adapters.networks.list()]

    @router.get("/hypernetworks")
    def hypernetworks() -> list[HypernetworkItem]:
        """The files of the hypernetworks folder, which prompts name as `<hypernet:name:strength>`."""
        adapters.hypernetworks.refresh()
        return [
            HypernetworkItem(name=file.name, path=str(file.path)) for file in adapters.hypernetworks.list()
        ]

    @router.get("/embeddings")
    def embeddings() -> EmbeddingsAnswer:
        """The files of the embeddings folder: those that the loaded checkpoint can read, and the others.

        Before a checkpoint is loaded all are skipped.
        """
        adapters.embeddings.refresh()
        known = house.engine.embeddings()
        return EmbeddingsAnswer(
            loaded={name: _embedding(each) for name, each in known.used.items()},
            skipped={name: _embedding(each) for name, (each, _) in known.skipped.items()},
        )

    @router.post("/refresh-loras")
    def refresh_loras() -> None:
        """Look into the LoRA folders again."""
        READINGS.ask_for_all()
        adapters.networks.refresh()

    @router.post("/refresh-embeddings")
    def refresh_embeddings() -> None:
        """Look into the embeddings folder again."""
        READINGS.ask_for_all()
        adapters.embeddings.refresh()

    return router


def _lora(file: AdapterFile) -> LoraItem:
    metadata = unpacked_metadata(file.metadata)
    return LoraItem(name=file.name, alias=file.alias, path=str(file.path), metadata=metadata)


def unpacked_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """`metadata` with tables where trainers wrote them as JSON: the format holds texts alone."""
    return {key: _unpacked(text) for key, text in metadata.items()}


def _unpacked(text: str) -> Any:
    if not text.startswith("{"):
        return text
    try:
        return parse_json(text, "metadata", METADATA_BOUNDS)
    except JsonNotRead:
        return text


def _embedding(embedding: Embedding | None) -> EmbeddingItem:
    """Numbers that could not be read are 0."""
    if embedding is None:
        return EmbeddingItem(shape=0, vectors=0)
    return EmbeddingItem(
        step=embedding.step,
        sd_checkpoint=embedding.checkpoint,
        sd_checkpoint_name=embedding.checkpoint_name,
        shape=embedding.width,
        vectors=embedding.count,
    )
