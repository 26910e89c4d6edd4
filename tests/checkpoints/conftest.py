"""Small checkpoints made from the recorded one, and what is needed to load them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.checkpoints import CheckpointFile, HashCache

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="session")
def configs() -> Path:
    return Path(__file__).parents[2] / "configs"


@pytest.fixture
def hashes(tmp_path: Path) -> HashCache:
    return HashCache(tmp_path / "cache" / "hashes.json")


@pytest.fixture(scope="session")
def tiny_tensors(parity_models: Path) -> Tensors:
    """The tensors of tiny-sd1, to be copied, never changed."""
    return load_file(parity_models / "tiny-sd1.safetensors")


@pytest.fixture
def checkpoint(tmp_path: Path, hashes: HashCache) -> Callable[[str], CheckpointFile]:
    """The checkpoint file of a name in the test's folder."""
    return lambda name: CheckpointFile(tmp_path / name, hashes, name)


@pytest.fixture
def saved(tmp_path: Path, checkpoint: Callable[[str], CheckpointFile]) -> Callable[..., CheckpointFile]:
    """Write tensors as a safetensors checkpoint."""

    def save(tensors: Tensors, name: str = "model.safetensors") -> CheckpointFile:
        save_file(tensors, tmp_path / name)
        return checkpoint(name)

    return save
