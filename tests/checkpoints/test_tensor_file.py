"""Numbers are read out of a file as they are there, in blocks, and in another type."""

import os
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from modules.checkpoints import open_tensors, opening, tensor_file
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


@pytest.mark.parametrize("wanted", [None, *TYPES[1:]])
def test_every_type_comes_as_every_other(one_file, wanted):
    path, tensors = one_file
    with open_tensors(path) as file:
        for name, numbers in tensors.items():
            made = file.read(name, wanted)
            expected = converted(numbers, wanted or numbers.dtype, "cpu")
            assert made.dtype is expected.dtype
            assert torch.equal(made.view(torch.uint8), expected.view(torch.uint8))


@pytest.mark.skipif(not tensor_file.READS_AT_PLACES, reason="files are read another way here")
def test_a_read_that_brings_less_is_gone_on_with(one_file, monkeypatch):
    path, tensors = one_file
    whole = tensor_file.os.preadv
    monkeypatch.setattr(
        tensor_file.os, "preadv", lambda file, rooms, place: whole(file, [rooms[0][:1000]], place)
    )
    with open_tensors(path) as file:
        assert torch.equal(file.read("torch.float32"), tensors["torch.float32"])


@pytest.mark.skipif(not tensor_file.READS_AT_PLACES, reason="files are read another way here")
def test_a_file_that_ends_while_it_is_read_is_told(one_file, monkeypatch):
    with open_tensors(one_file[0]) as file:
        monkeypatch.setattr(tensor_file.os, "preadv", lambda *_: 0)
        with pytest.raises(EaselError, match="ended while it was read"):
            file.read("torch.float32")


@pytest.mark.parametrize("at_places", [True, False])
@pytest.mark.parametrize("wanted", [None, torch.float16])
def test_a_file_that_is_shortened_while_it_is_read_is_told(one_file, monkeypatch, at_places, wanted):
    path, _ = one_file
    monkeypatch.setattr(tensor_file, "READS_AT_PLACES", at_places and tensor_file.READS_AT_PLACES)
    sentence = r"net\.safetensors ended while it was read"
    with pytest.raises(EaselError, match=sentence), open_tensors(path) as file:
        file.read("torch.bfloat16")
        with path.open("r+b") as other:
            other.truncate(path.stat().st_size // 4)
        for name in file.tensors:
            file.read(name, wanted)


@pytest.mark.parametrize("change", ["grown", "written anew"])
def test_a_file_that_is_written_while_it_is_read_is_told(one_file, change):
    path, _ = one_file
    with (
        pytest.raises(EaselError, match=r"net\.safetensors was changed while it was read"),
        open_tensors(path) as file,
    ):
        file.read("torch.float32")
        with path.open("ab" if change == "grown" else "r+b") as other:
            other.write(b"more")
        os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_a_file_that_is_replaced_or_deleted_while_it_is_read_is_read_to_its_end(one_file, change, tmp_path):
    path, tensors = one_file
    with open_tensors(path) as file:
        if change == "replaced":
            save_file({"other": torch.zeros(3)}, tmp_path / "new")
            (tmp_path / "new").replace(path)
        else:
            path.unlink()
        assert torch.equal(file.read("torch.float32"), tensors["torch.float32"])


def test_a_file_that_is_replaced_between_its_index_and_its_numbers_is_told(one_file, tmp_path, monkeypatch):
    path, _ = one_file
    whole = opening.read_header

    def replacing(opened):
        found = whole(opened)
        save_file({"other": torch.zeros(3)}, tmp_path / "new")
        (tmp_path / "new").replace(path)
        return found

    monkeypatch.setattr(opening, "read_header", replacing)
    with pytest.raises(EaselError, match="was changed while it was read"):
        open_tensors(path)


def test_a_drive_that_fails_is_told(one_file, monkeypatch):
    def fails(*_):
        raise OSError(5, "Input/output error")

    with open_tensors(one_file[0]) as file:
        monkeypatch.setattr(tensor_file.TensorFile, "_read_into", fails)
        with pytest.raises(EaselError, match=r"net\.safetensors cannot be read: Input/output error"):
            file.read("torch.float32")


def test_no_file_of_a_model_is_mapped():
    """What is mapped ends the process when somebody shortens the file."""
    modules = Path(opening.__file__).parents[1]
    words = re.compile(r"mmap\.mmap\(|np\.memmap|safe_open|load_file\(|torch\.load\(|from_file\(")
    assert [str(path) for path in modules.rglob("*.py") if words.search(path.read_text("utf-8"))] == []
