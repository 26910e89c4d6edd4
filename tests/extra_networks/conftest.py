"""Folders of small networks, and the catalogue over them."""

import pytest

from tests.extra_networks.small_networks import Networks


@pytest.fixture
def networks(tmp_path):
    return Networks(tmp_path)
