"""What every test may ask for: the recorded cases, the small models, and a whole program over them."""

import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Two processes of tests on few cores, and their servers: nobody waits with a busy core. Before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A shared machine is slow at times; how long a test may take is the timeout's business.
settings.register_profile("easel", deadline=None)
settings.load_profile("easel")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

PARITY = Path(__file__).parent / "parity"


@pytest.fixture(scope="session")
def parity_models() -> Path:
    return PARITY / "models"


@pytest.fixture(scope="session")
def parity_reference() -> Path:
    return PARITY / "reference"


@pytest.fixture(scope="session")
def parity_cases() -> Path:
    return PARITY / "cases"


@pytest.fixture(scope="session")
def all_parity_models(tmp_path_factory, parity_models) -> Path:
    """The recorded models together with the variants that some cases name, in a folder of their own."""
    models = tmp_path_factory.mktemp("models") / "checkpoints"
    shutil.copytree(parity_models, models)
    arguments, sys.argv = sys.argv, ["make_variants.py", str(models)]
    try:
        runpy.run_path(str(PARITY / "make_variants.py"))
    finally:
        sys.argv = arguments
    return models


@pytest.fixture(scope="session")
def house(tmp_path_factory, all_parity_models):
    """The whole program over the small models, with a data folder of its own."""
    from modules.flags import parse_flags
    from modules.house import make_house

    data = tmp_path_factory.mktemp("user")
    arguments = ["--data-dir", str(data), "--ckpt-dir", str(all_parity_models), "--nowebui", "--api"]
    arguments += ["--vae-dir", str(all_parity_models)]
    arguments += ["--lora-dir", str(all_parity_models / "Lora")]
    arguments += ["--embeddings-dir", str(all_parity_models / "embeddings")]
    arguments += ["--hypernetwork-dir", str(all_parity_models / "hypernetworks")]
    house = make_house(parse_flags(arguments, environment={}))
    yield house
    house.close()


@pytest.fixture(scope="session")
def client(house):
    """The program's API without a network."""
    from fastapi.testclient import TestClient

    from modules.server import create_app

    return TestClient(create_app(house), "http://127.0.0.1", raise_server_exceptions=False)
