"""The small recorded models, each loaded once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from modules.checkpoints import CheckpointFile, HashCache, Model, load_model
from modules.memory import DevicePolicy

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="session")
def loaded(parity_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    """The recorded model of a name, loaded when first asked for."""
    hashes = HashCache(tmp_path_factory.mktemp("cache") / "hashes.json", enabled=False)
    policy = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)

    @cache
    def load(name: str) -> Model:
        file = CheckpointFile(parity_models / f"{name}.safetensors", hashes, f"{name}.safetensors")
        return load_model(file, policy, CONFIGS)

    return load


@pytest.fixture(scope="session")
def tiny_model(loaded: Callable[[str], Model]) -> Model:
    return loaded("tiny-sd1")
