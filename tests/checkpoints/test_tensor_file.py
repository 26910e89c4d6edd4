"""Numbers are read out of a file as they are there, in blocks, and in another type."""

import pytest
import torch
from safetensors.torch import save_file

from modules.checkpoints import open_tensors, tensor_file
from modules.checkpoints.conversion import converted
from modules.errors import EaselError

TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn]
BLOCK = 1 << 12


@pytest.fixture
def one_file(tmp_path, monkeypatch):
    """Of a tensor in each type, of many small blocks and a part of one."""
    monkeypatch.setattr(tensor_file, "BLOCK", BLOCK)
    made = torch.randn(7, 3 * BLOCK + 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    tensors = {str(dtype): made.to(dtype) for dtype in TYPES}
    path = tmp_path / "net.safetensors"
    save_file(tensors, path)
    return path, tensors


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("wanted", [None, *TYPES[1:]])
def test_every_type_comes_as_every_other(one_file, mapped, wanted):
    path, tensors = one_file
    with open_tensors(path, mapped=mapped) as file:
        for name, numbers in tensors.items():
            made = file.read(name, wanted)
            expected = converted(numbers, wanted or numbers.dtype, "cpu")
            assert made.dtype is expected.dtype
            assert torch.equal(made.view(torch.uint8), expected.view(torch.uint8))


@pytest.mark.skipif(not tensor_file.READS_AT_PLACES, reason="files are mapped here")
def test_a_read_that_brings_less_is_gone_on_with(one_file, monkeypatch):
    path, tensors = one_file
    whole = tensor_file.os.preadv
    monkeypatch.setattr(
        tensor_file.os, "preadv", lambda file, rooms, place: whole(file, [rooms[0][:1000]], place)
    )
    with open_tensors(path) as file:
        assert torch.equal(file.read("torch.float32"), tensors["torch.float32"])


@pytest.mark.skipif(not tensor_file.READS_AT_PLACES, reason="files are mapped here")
def test_a_file_that_ends_while_it_is_read_is_told(one_file, monkeypatch):
    with open_tensors(one_file[0]) as file:
        monkeypatch.setattr(tensor_file.os, "preadv", lambda *_: 0)
        with pytest.raises(EaselError, match="ended while it was read"):
            file.read("torch.float32")
