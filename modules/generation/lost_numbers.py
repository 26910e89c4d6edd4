"""Pictures whose numbers became none (NaN, infinite) while they were drawn: what is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from modules.adapters import AdapterShelves
from modules.checkpoints import Model, open_tensors, read_tree
from modules.errors import EaselError, InvalidRequest
from modules.generation.autoencoder import LostNumbers
from modules.generation.run import Run

__all__ = ["blamed"]

MOST_BYTES = 4 << 30
"""Of a file that is looked through."""


def blamed(error: LostNumbers, run: Run, adapters: AdapterShelves, model: Model | None) -> InvalidRequest:
    """`error`, or what is known better: a file that holds no numbers itself.

    Files and weights are looked through only now, so that drawing costs nothing more.
    """
    for what, path in _files_of(run, adapters):
        if _is_broken(path):
            return InvalidRequest(
                "prompt",
                f"The {what} {path.name} holds numbers that are no numbers (NaN), so there is no picture. "
                "Leave it out of the prompt, or fetch the file anew.",
            )
    if model is not None and not run.network_tags and _is_broken_model(model.unet):
        return InvalidRequest(
            "sd_model_checkpoint",
            f"{error} Some of its weights are no numbers: the checkpoint file is damaged. Fetch it anew, or "
            "choose another.",
        )
    return error


def _files_of(run: Run, adapters: AdapterShelves) -> Iterator[tuple[str, Path]]:
    """What the prompts of `run` name."""
    tags = (*run.network_tags, *(run.hires.network_tags if run.hires else ()))
    shelves = {"lora": ("LoRA", adapters.networks), "lyco": ("LoRA", adapters.networks)}
    shelves["hypernet"] = ("hypernetwork", adapters.hypernetworks)
    for tag in tags:
        what, shelf = shelves.get(tag.kind, ("", None))
        if shelf and tag.positional and (file := shelf.find(tag.positional[0])):
            yield what, file.path
    texts = f"{run.prompt}\n{run.negative_prompt}".casefold()
    for file in adapters.embeddings.list():
        if file.name.casefold() in texts:
            yield "embedding", file.path


def _is_broken(path: Path) -> bool:
    with suppress(EaselError, OSError):
        if path.stat().st_size > MOST_BYTES:
            return False
        with suppress(EaselError), open_tensors(path) as file:
            return any(not _is_whole(file.read(name)) for name in file.tensors)
        return any(not _is_whole(each) for each in _tensors_in(read_tree(path)))
    return False


def _tensors_in(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, dict | list | tuple):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors_in(each)


def _is_broken_model(unet: nn.Module) -> bool:
    return any(not _is_whole(weight) for weight in unet.parameters())


def _is_whole(numbers: Tensor) -> bool:
    if not numbers.is_floating_point() or numbers.is_meta:
        return True
    return bool(torch.isfinite(numbers.detach().float()).all())
