"""The small recorded model, loaded once."""

from pathlib import Path

import pytest
import torch

from modules.checkpoints import CheckpointFile, HashCache, Model, load_model
from modules.memory import DevicePolicy

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="session")
def tiny_model(parity_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    hashes = HashCache(tmp_path_factory.mktemp("cache") / "hashes.json", enabled=False)
    file = CheckpointFile(parity_models / "tiny-sd1.safetensors", hashes, "tiny-sd1.safetensors")
    return load_model(file, DevicePolicy(torch.device("cpu"), torch.float32, torch.float32), CONFIGS)
