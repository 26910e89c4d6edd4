"""Merges of the small recorded models, in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.adapters import AdapterShelf
from modules.checkpoints import CheckpointShelf, HashCache, VaeShelf
from modules.flags import parse_flags
from modules.folders import Folders
from modules.merging import ConvertRequest, MergeRequest, MergeShelves, plan_convert, plan_merge, run_merge

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def folders(tmp_path: Path, all_parity_models: Path) -> Folders:
    """The recorded models are searched; results go to `models/Stable-diffusion` of the test's folder."""
    flags = parse_flags(
        ["--data-dir", str(tmp_path), "--vae-dir", str(all_parity_models), "--lora-dir", str(all_parity_models / "Lora")],
        environment={},
    )  # fmt: skip
    folders = Folders.from_flags(flags)
    folders.ensure()
    return folders


@pytest.fixture
def recorded(folders: Folders, all_parity_models: Path) -> None:
    """The recorded checkpoints are on the shelf, by links."""
    for path in all_parity_models.iterdir():
        (folders.new_checkpoints / path.name).symlink_to(path)


@pytest.fixture
def shelves(folders: Folders) -> Callable[[], MergeShelves]:
    """The shelves as they are now."""
    hashes = HashCache(folders.cache / "hashes.json")

    def make() -> MergeShelves:
        return MergeShelves(
            CheckpointShelf(folders, hashes),
            VaeShelf(folders, hashes),
            AdapterShelf((*folders.loras, folders.models / "Lora"), (".safetensors",), hashes),
            folders,
        )

    return make


@pytest.fixture
def put(folders: Folders) -> Callable[..., Path]:
    """Put a checkpoint of these tensors on the shelf."""

    def put(name: str, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
        path = folders.new_checkpoints / f"{name}.safetensors"
        save_file(tensors, path, metadata)
        return path

    return put


@pytest.fixture
def plan(shelves) -> Callable[..., object]:
    """Plan a merge of these values, by default of a and b."""
    return lambda **values: plan_merge(
        MergeRequest(**{"primary": "a", "secondary": "b", **values}), shelves()
    )


@pytest.fixture
def merge(plan) -> Callable[..., SimpleNamespace]:
    """Plan and run a merge: its result, and the tensors of the file."""

    def merge(**values) -> SimpleNamespace:
        planned = plan(**values)
        result = run_merge(planned)
        return SimpleNamespace(
            plan=planned, dry=planned.dry_run, result=result, tensors=tensors_of(result.path)
        )

    return merge


@pytest.fixture
def convert(shelves) -> Callable[..., SimpleNamespace]:
    """Plan and run a conversion."""

    def convert(**values) -> SimpleNamespace:
        planned = plan_convert(ConvertRequest(**values), shelves())
        result = run_merge(planned)
        return SimpleNamespace(
            plan=planned, dry=planned.dry_run, result=result, tensors=tensors_of(result.path)
        )

    return convert


def tensors_of(path: Path) -> Tensors:
    if path.suffix == ".ckpt":
        return torch.load(path, weights_only=True)["state_dict"]
    return load_file(path)
