"""Files that are written as a stream are those of the formats' own libraries."""

import io

import pytest
import torch
from safetensors.torch import load, save

from modules.checkpoints import (
    TensorEntry,
    open_tensors,
    safetensors_header,
    safetensors_order,
    torch_file_size,
    write_safetensors,
    write_torch_file,
)
from modules.errors import EaselError

TENSORS = {
    "half": torch.arange(24).reshape(2, 3, 4).half() / 7,
    "float": torch.linspace(-1, 1, 11),
    "bfloat": torch.linspace(-3, 3, 5).bfloat16(),
    "whole": torch.arange(5),
    "yes": torch.tensor([True, False, True]),
    "scalar": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "a name with ü": torch.ones(3, dtype=torch.uint8),
}
EIGHT_BITS = {
    "e4m3": torch.linspace(-2, 2, 6).to(torch.float8_e4m3fn),
    "e5m2": torch.ones(3).to(torch.float8_e5m2),
}


def entries_of(tensors):
    return safetensors_order(
        TensorEntry(name, each.dtype, tuple(each.shape)) for name, each in tensors.items()
    )


def in_pieces(tensors, entries):
    """Each tensor in two pieces."""
    for entry in entries:
        flat = tensors[entry.name].reshape(-1)
        yield (flat[: len(flat) // 2], flat[len(flat) // 2 :])


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        assert torch.equal(found[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8)), (
            name
        )


def test_a_safetensors_file_is_the_librarys_byte_for_byte():
    tensors = {name: each for name, each in TENSORS.items() if name != "a name with ü"}
    written, entries = io.BytesIO(), entries_of(tensors)
    write_safetensors(written, entries, {"format": "pt"}, in_pieces(tensors, entries))
    same(load(written.getvalue()), tensors)
    assert len(written.getvalue()) == len(save(tensors, {"format": "pt"}))


def test_a_safetensors_file_with_numbers_of_eight_bits_and_texts():
    tensors = TENSORS | EIGHT_BITS
    written, entries = io.BytesIO(), entries_of(tensors)
    write_safetensors(written, entries, {"title": "mün"}, in_pieces(tensors, entries))
    same(load(written.getvalue()), tensors)
    header = safetensors_header(entries, {"title": "mün"})
    assert written.getvalue().startswith(header) and len(header) % 8 == 0
    assert len(written.getvalue()) == len(header) + sum(entry.size for entry in entries)


def test_a_torch_file_opens_with_torch_and_with_our_own_reader(tmp_path):
    path, entries = tmp_path / "x.ckpt", entries_of(TENSORS)
    with path.open("wb") as file:
        write_torch_file(file, entries, in_pieces(TENSORS, entries))
    assert path.stat().st_size == torch_file_size(entries)
    for how in ({"weights_only": True}, {"weights_only": True, "mmap": True}):
        same(torch.load(path, **how)["state_dict"], TENSORS)
    with open_tensors(path) as file:
        same({name: file.read(name) for name in file.tensors}, TENSORS)


def test_the_same_tensors_give_the_same_torch_file():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_torch_file(file, entries_of(TENSORS), in_pieces(TENSORS, entries_of(TENSORS)))
    assert files[0].getvalue() == files[1].getvalue()


def test_a_torch_file_cannot_hold_eight_bits():
    with pytest.raises(EaselError, match="cannot hold numbers of the type float8_e4m3fn, as e4m3 has them"):
        torch_file_size(entries_of(EIGHT_BITS))
