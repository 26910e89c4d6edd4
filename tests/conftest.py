"""What every test may ask for: the recorded cases and the small models that they were made with."""

import os
from pathlib import Path

import pytest

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
