"""Finding the models: captioning folders, taggers, and files that look like one and cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modules.checkpoints import read_metadata
from modules.errors import NotFound
from modules.folders import Folders
from modules.foreign_json import JsonNotRead, read_json
from modules.interrogation.offers import CAPTION, TAGS, Format, Offer, Wanted
from modules.interrogation.tag_lists import find_tag_list
from modules.listing import folder_entries
from modules.readings import READINGS

__all__ = ["CAPTIONING_MODELS", "InterrogatorShelf", "Unusable"]

CAPTIONING_MODELS = ("blip", "blip-2", "git", "vision-encoder-decoder")
"""Kinds of the transformers library that describe a picture without being asked a question."""
OLDEST_NAMES = {"deepbooru": TAGS, "blip": CAPTION}
DEEPEST = 3
THINGS_KEY = "easel.things"
"""In the metadata of a small tagger."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that somebody put there to describe pictures, and why it cannot."""

    path: Path
    reason: str


class InterrogatorShelf:
    """The models in `folders.interrogators`, the user's before the program's own."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def look(self) -> tuple[list[Offer], list[Unusable]]:
        """What there is at this moment: each name once, and what was passed over."""
        offers: dict[str, Offer] = {}
        unusable = []
        for root in self._folders.interrogators:
            for found in _below(root):
                if isinstance(found, Unusable):
                    unusable.append(found)
                else:
                    offers.setdefault(found.name.lower(), found)
        return list(offers.values()), unusable

    def find(self, name: str) -> tuple[Offer, Wanted]:
        """The model that `name` means and what is wanted of it; "clip" and "deepdanbooru" are the first that
        gives a sentence, or tags. Raises NotFound.
        """
        offers, unusable = self.look()
        usual = OLDEST_NAMES.get(name.lower(), name.lower())
        by_name = {offer.name.lower(): offer for offer in offers}
        if usual in by_name:
            return by_name[usual], by_name[usual].gives[0]
        if usual not in (CAPTION, TAGS):
            known = ", ".join([CAPTION, TAGS, *(offer.name for offer in offers)])
            raise NotFound(f"No model named {name!r} describes pictures. Choose one of {known}.")
        wanted = Wanted.SENTENCE if usual == CAPTION else Wanted.TAGS
        for offer in sorted(offers, key=lambda offer: offer.is_light):
            if wanted in offer.gives and not READINGS.is_left_alone(offer.path):
                return offer, wanted
        raise NotFound(" ".join([self.advice(wanted), *(each.reason for each in unusable)]))

    def advice(self, wanted: Wanted) -> str:
        """Which file to put where, in a sentence."""
        home, blip, deepdanbooru, *_ = self._folders.interrogators
        if wanted is Wanted.SENTENCE:
            return (
                f"To have pictures described, put a captioning model as a folder below {blip}, for instance "
                "Salesforce/blip-image-captioning-large with its config.json, model.safetensors, "
                "preprocessor_config.json and tokenizer files."
            )
        return (
            f"To have pictures tagged, put model-resnet_custom_v3.pt into {deepdanbooru}, or an ONNX tagger "
            f"with its list (model.onnx and selected_tags.csv or tags.txt) into a folder below {home}."
        )


def _below(folder: Path, depth: int = 0) -> Iterator[Offer | Unusable]:
    """What `folder` is, else what lies in it and up to `DEEPEST` folders below it, in the order of names."""
    found = _captioner(folder)
    if found:
        yield found
    if isinstance(found, Offer):
        return
    entries = folder_entries(folder)
    for name in sorted((*entries.files, *entries.folders), key=str.lower):
        if name in entries.folders:
            if depth < DEEPEST:
                yield from _below(folder / name, depth + 1)
        elif found := _file(folder / name, is_at_top=depth == 0):
            yield found


def _captioner(folder: Path) -> Offer | Unusable | None:
    try:
        config = read_json(folder / "config.json")
    except (OSError, JsonNotRead):
        return None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        return None
    names = folder_entries(folder).files
    if any(name.endswith(".onnx") for name in names):
        return None
    if kind not in CAPTIONING_MODELS:
        usable = ", ".join(CAPTIONING_MODELS)
        return Unusable(
            folder, f"The folder {folder} holds a model of the kind {kind}; {usable} can be used."
        )
    if not any(name.endswith(".safetensors") for name in names):
        return Unusable(folder, f"The folder {folder} holds no .safetensors file; only those are read.")
    return Offer(folder.name, Format.CAPTIONER, folder)


def _file(path: Path, *, is_at_top: bool) -> Offer | Unusable | None:
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        # Taggers are told apart by their folders: the file itself is "model.onnx" in most of them.
        name = path.stem if is_at_top or path.stem != "model" else path.parent.name
        if find_tag_list(path):
            return Offer(name, Format.ONNX, path)
        sentence = "has no list of tags beside it; put selected_tags.csv or tags.txt there."
        return Unusable(path, f"{path} {sentence}")
    if suffix == ".pt":
        return Offer(path.stem, Format.DEEPDANBOORU, path)
    if suffix == ".pth":
        sentence = (
            "is in BLIP's first format, which is not read; put the model as a transformers folder there."
        )
        return Unusable(path, f"{path} {sentence}")
    if suffix == ".safetensors" and THINGS_KEY in read_metadata(path):
        return Offer(path.stem, Format.SMALL, path)
    return None
