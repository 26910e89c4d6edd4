"""Routes that list the files of extra networks: LoRA, hypernetworks, embeddings. None is loaded for it."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from modules.checkpoints import open_tensors, read_metadata
from modules.errors import EaselError
from modules.house import House
from modules.rest.errors import error_statuses
from modules.rest.sdapi.list_answers import EmbeddingItem, EmbeddingsAnswer, HypernetworkItem, LoraItem

__all__ = ["network_routes"]

LORA_ENDINGS = (".safetensors", ".pt", ".ckpt")
HYPERNETWORK_ENDINGS = (".pt",)
EMBEDDING_ENDINGS = (".pt", ".bin", ".safetensors", ".png", ".webp", ".jxl", ".avif")
PREVIEW = ".preview"


def network_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["lists"], responses=error_statuses())

    @router.get("/loras")
    def loras() -> list[LoraItem]:
        """The files of the LoRA folders. Prompts cannot name them in this version."""
        folders = (*house.folders.loras, *house.folders.lycoris)
        return [_lora(path) for path in _files(folders, LORA_ENDINGS)]

    @router.get("/hypernetworks")
    def hypernetworks() -> list[HypernetworkItem]:
        """The files of the hypernetworks folder. Prompts cannot name them in this version."""
        found = _files(house.folders.hypernetworks, HYPERNETWORK_ENDINGS)
        return [HypernetworkItem(name=path.stem, path=str(path)) for path in found]

    @router.get("/embeddings")
    def embeddings() -> EmbeddingsAnswer:
        """The files of the embeddings folder: all skipped, since this version reads none.

        Numbers that only loading the file would tell are 0.
        """
        found = _files(house.folders.embeddings, EMBEDDING_ENDINGS)
        items = {path.stem: _embedding(path) for path in found if not path.stem.endswith(PREVIEW)}
        return EmbeddingsAnswer(loaded={}, skipped=items)

    @router.post("/refresh-loras")
    def refresh_loras() -> None:
        """Nothing to do: the LoRA folders are looked into at each call."""

    @router.post("/refresh-embeddings")
    def refresh_embeddings() -> None:
        """Nothing to do, as refresh-loras."""

    return router


def _files(folders: Sequence[Path], endings: tuple[str, ...]) -> Iterator[Path]:
    """Files in `folders` and below, by name; of several with one name the first found."""
    found: dict[str, Path] = {}
    for root in folders:
        for folder, _, names in os.walk(root):
            for name in names:
                if name.lower().endswith(endings) and not name.startswith("."):
                    found.setdefault(Path(name).stem, Path(folder, name))
    yield from (found[name] for name in sorted(found, key=str.lower))


def _lora(path: Path) -> LoraItem:
    metadata = {key: _unpacked(text) for key, text in read_metadata(path).items()}
    return LoraItem(
        name=path.stem,
        alias=str(metadata.get("ss_output_name") or path.stem),
        path=str(path),
        metadata=metadata,
    )


def _unpacked(text: str) -> Any:
    """Trainers write tables as JSON into metadata, which holds texts alone."""
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _embedding(path: Path) -> EmbeddingItem:
    """The size of the vectors where the file's header tells it."""
    try:
        with open_tensors(path) as file:
            shapes = [stored.shape for stored in file.tensors.values() if stored.shape]
    except (EaselError, OSError):
        shapes = []
    vectors = shapes[0][0] if shapes and len(shapes[0]) > 1 else len(shapes[:1])
    return EmbeddingItem(shape=shapes[0][-1] if shapes else 0, vectors=vectors)
