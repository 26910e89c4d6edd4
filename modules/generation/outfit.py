"""The adapters that one group of pictures is drawn with: put on before each pass, told of afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from modules.adapters import AdapterFile, MetEmbeddings
from modules.generation.artist import Artist
from modules.generation.drawn import FileFacts, ModelFacts
from modules.generation.watcher import Watcher
from modules.prompts import NetworkTag
from modules.settings import Options

__all__ = ["Outfit"]


class Outfit:
    """What the passes of a run have worn so far."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._told: set[str] = set()
        self._networks: dict[AdapterFile, None] = {}
        self._hypernetworks: dict[AdapterFile, None] = {}
        self._embeddings: list[MetEmbeddings] = []

    def dress(self, artist: Artist, tags: Sequence[NetworkTag]) -> None:
        """Draw from now on with the adapters of `tags`. What does not exist or fit is told to the watcher
        once.
        """
        worn = artist.dress(tags)
        self._tell(worn.notes)
        self._networks |= dict.fromkeys(worn.networks)
        self._hypernetworks |= dict.fromkeys(worn.hypernetworks)
        if not any(known is artist.embeddings for known in self._embeddings):
            self._embeddings.append(artist.embeddings)

    def tell_of_embeddings(self) -> None:
        """Tell the watcher, once, which embeddings the prompts have named by now that are not used."""
        for met in self._embeddings:
            self._tell(met.notes())

    def _tell(self, notes: Iterable[str]) -> None:
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                self._watcher.on_note(note)

    def fields(self, options: Options) -> dict[str, Any]:
        """What the generation text says of it."""
        embeddings = {name: file for met in self._embeddings for name, file in met.used.items()}
        fields = {
            "Lora hashes": options.lora_add_hashes_to_infotext
            and _hashes({file.name: file.network_hash for file in self._networks}),
            "TI hashes": options.textual_inversion_add_hashes_to_infotext
            and _hashes({name: file.short_hash for name, file in embeddings.items()}),
        }
        return {key: text for key, text in fields.items() if text}

    def facts(self, model: ModelFacts) -> ModelFacts:
        """The facts of the model with those of its adapters."""
        embeddings = dict.fromkeys(file for met in self._embeddings for file in met.used.values())
        return replace(
            model,
            adapters=tuple(_facts(file) for file in (*self._networks, *self._hypernetworks)),
            embeddings=tuple(_facts(file) for file in embeddings),
        )


def _hashes(found: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}: {digest}" for name, digest in found.items() if digest)


def _facts(file: AdapterFile) -> FileFacts:
    return FileFacts(file.path.name, file.sha256)
