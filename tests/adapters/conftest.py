"""A small model of its own for these tests, which change its weights."""

import pytest

from modules.adapters import AdapterShelves, Wardrobe


def load_tiny(models, folder, *flags):
    from modules.checkpoints import CheckpointFile, HashCache, load_model, narrow
    from modules.flags import parse_flags
    from modules.folders import Folders
    from modules.memory import choose_policy

    parsed = parse_flags(["--data-dir", str(folder), *flags], environment={})
    file = CheckpointFile(
        models / "tiny-sd1.safetensors", HashCache(folder / "hashes.json"), "tiny-sd1.safetensors"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(narrow, "SMALL", 0)  # in models of any use all that counts is larger
        return load_model(file, choose_policy(parsed), Folders.from_flags(parsed).configs)


@pytest.fixture(scope="session")
def tiny_model(all_parity_models, tmp_path_factory):
    """Its large weights are in half precision, as in the file."""
    return load_tiny(all_parity_models, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def wide_model(all_parity_models, tmp_path_factory):
    """The same with all weights in float32, as with --no-half."""
    return load_tiny(all_parity_models, tmp_path_factory.mktemp("data"), "--no-half")


@pytest.fixture
def shelves(tmp_path, tiny_model):
    """Empty folders of adapters, and the shelves over them."""
    from modules.flags import parse_flags
    from modules.folders import Folders

    folders = Folders.from_flags(parse_flags(["--data-dir", str(tmp_path)], environment={}))
    folders.ensure()
    return AdapterShelves(folders, tiny_model.checkpoint.hashes)


@pytest.fixture
def wardrobe(tiny_model, shelves):
    """The model's wardrobe; what it wears at the end comes off."""
    wardrobe = Wardrobe(tiny_model, shelves)
    yield wardrobe
    wardrobe.wear([])
