"""A small model of its own for these tests, which change its weights."""

import pytest

from modules.adapters import AdapterShelves


@pytest.fixture(scope="session")
def tiny_model(all_parity_models, tmp_path_factory):
    from modules.checkpoints import CheckpointFile, HashCache, load_model
    from modules.flags import parse_flags
    from modules.folders import Folders
    from modules.memory import choose_policy

    flags = parse_flags(["--data-dir", str(tmp_path_factory.mktemp("data"))], environment={})
    hashes = HashCache(tmp_path_factory.mktemp("hashes") / "hashes.json")
    file = CheckpointFile(all_parity_models / "tiny-sd1.safetensors", hashes, "tiny-sd1.safetensors")
    return load_model(file, choose_policy(flags), Folders.from_flags(flags).configs)


@pytest.fixture
def shelves(tmp_path, tiny_model):
    """Empty folders of adapters, and the shelves over them."""
    from modules.flags import parse_flags
    from modules.folders import Folders

    folders = Folders.from_flags(parse_flags(["--data-dir", str(tmp_path)], environment={}))
    folders.ensure()
    return AdapterShelves(folders, tiny_model.checkpoint.hashes)
