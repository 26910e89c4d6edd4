"""Torch files are read as data: what torch wrote is found, what runs commands is refused."""

import argparse
import builtins
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.checkpoints import CheckpointFile, load_model, open_tensors
from modules.errors import EaselError
from modules.memory import DevicePolicy

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
FORMATS = {"zip": True, "legacy": False}

both_formats = pytest.mark.parametrize("zipped", FORMATS.values(), ids=FORMATS.keys())


def read_all(path: Path) -> dict[str, torch.Tensor]:
    with open_tensors(path) as file:
        return {name: file.read(name) for name in file.tensors}


def sample() -> dict[str, torch.Tensor]:
    base = torch.arange(24.0).reshape(4, 6)
    return {
        "plain": base,
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "numbers": torch.arange(5),
        "flags": torch.tensor([True, False]),
        "transposed": base.T,
        "window": base[1:3, 2:4],
        "scalar": torch.tensor(7.5),
        "parameter": torch.nn.Parameter(base + 1),
        "empty": torch.zeros(0, 3),
    }


@both_formats
def test_every_kind_of_tensor_reads_as_it_was_saved(zipped: bool, tmp_path: Path) -> None:
    tensors = sample()
    torch.save(tensors, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    got = read_all(tmp_path / "a.ckpt")
    assert got.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(got[name], tensor), name
        assert got[name].dtype == tensor.dtype


@both_formats
def test_the_belongings_of_a_trainer_do_no_harm(zipped: bool, tmp_path: Path) -> None:
    tree = {
        "epoch": 3,
        "global_step": np.float64(12),
        "best": np.arange(3),
        "hyper_parameters": argparse.Namespace(rate=1e-4),
        "state_dict": OrderedDict(weight=torch.ones(2), ignored="text"),
        "folder": Path("/somewhere"),
        "optimizer": [torch.zeros(7), torch.zeros(3).half()],
    }
    torch.save(tree, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    got = read_all(tmp_path / "a.ckpt")
    assert list(got) == ["weight"]
    assert torch.equal(got["weight"], torch.ones(2))


@both_formats
def test_a_checkpoint_in_a_torch_file_gives_the_same_model(
    zipped: bool,
    tiny_tensors: dict[str, torch.Tensor],
    tmp_path: Path,
    configs: Path,
    parity_models: Path,
    checkpoint: Callable[[str], CheckpointFile],
) -> None:
    torch.save({"state_dict": tiny_tensors}, tmp_path / "tiny.ckpt", _use_new_zipfile_serialization=zipped)
    (tmp_path / "tiny-sd1.safetensors").write_bytes((parity_models / "tiny-sd1.safetensors").read_bytes())
    one, other = (
        load_model(checkpoint(name), CPU, configs) for name in ("tiny.ckpt", "tiny-sd1.safetensors")
    )
    for part in ("unet", "vae"):
        pairs = zip(getattr(one, part).parameters(), getattr(other, part).parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def hostile(trap: Path) -> dict[str, Any]:
    """Things that would make `trap` if they were run, by the name under which they are refused."""
    command = f"touch {trap}"
    code = f"open({str(trap)!r}, 'w').close()"
    return {
        "system": Call(os.system, command),
        "eval": Call(builtins.eval, code),
        "exec": Call(builtins.exec, code),
        "getattr": Call(getattr, Call(__import__, "os"), "system"),
        "__import__": Call(__import__, "os"),
        "_load_from_bytes": Call(torch.storage._load_from_bytes, b"x"),
        "open": Call(open, str(trap), "w"),
        "loads": Call(pickle.loads, pickle.dumps(Call(os.system, command))),
    }


def raw_zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)


@pytest.mark.parametrize("name", hostile(Path("x")).keys())
@pytest.mark.parametrize("nested", [False, True])
@both_formats
def test_a_pickle_that_would_run_something_is_refused_by_name(
    zipped: bool, nested: bool, name: str, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    thing = hostile(trap)[name]
    tree = {"state_dict": {"weight": torch.ones(1), "deep": [{"er": (thing,)}]}} if nested else thing
    torch.save(tree, tmp_path / "evil.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(EaselError, match=rf"evil\.ckpt was not loaded: .*\.{name},"):
        open_tensors(tmp_path / "evil.ckpt")
    assert not trap.exists()


@pytest.mark.parametrize(
    "name", [b"ctorch._utils\n_rebuild_tensor_v2\n", b"cargparse\nNamespace\n", b"ctorch\nSize\n"]
)
def test_a_pickle_cannot_change_what_it_is_given(name: bytes, tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "good.ckpt")
    raw_zip(tmp_path / "evil.ckpt", b"\x80\x02" + name + b"N}X\x08\x00\x00\x00__call__ctorch\nSize\ns\x86b.")
    with pytest.raises(EaselError, match=r"evil\.ckpt"):
        open_tensors(tmp_path / "evil.ckpt")
    assert torch.equal(read_all(tmp_path / "good.ckpt")["weight"], torch.ones(2))


def test_an_object_built_by_attributes_is_refused(tmp_path: Path) -> None:
    class_by_name = b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R."
    raw_zip(tmp_path / "evil.ckpt", class_by_name)
    with pytest.raises(EaselError, match=r"posix\.system"):
        open_tensors(tmp_path / "evil.ckpt")


@pytest.mark.parametrize(
    "instructions",
    [
        b"\x80\x02(ios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02Ppersistent\n.",
        b"\x80\x02}r\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\x7f1.",
        b"\x80\x02.",
        b"\x80\x02}",
        b"\x80\x02K\x01K\x02Q.",
        b"",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.",
        b"\x80\x02}(]K\x01u.",
    ],
)
def test_instructions_that_torch_never_writes_are_refused(instructions: bytes, tmp_path: Path) -> None:
    raw_zip(tmp_path / "odd.ckpt", instructions)
    with pytest.raises(EaselError, match=r"odd\.ckpt"):
        open_tensors(tmp_path / "odd.ckpt")


def storage_pickle(shape: tuple[int, ...], stride: tuple[int, ...], offset: int, count: int) -> bytes:
    """A pickle of one tensor with these claims, in the words of torch.save."""

    class Writer(pickle._Pickler):
        def persistent_id(self, value: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if value is Writer else None

    buffer = io.BytesIO()
    rebuild = Call(torch._utils._rebuild_tensor_v2, Writer, offset, shape, stride, False, OrderedDict())
    Writer(buffer, 2).dump({"state_dict": {"weight": rebuild}})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("shape", "stride", "offset", "count"),
    [
        ((4,), (1,), 1, 4),
        ((5,), (1,), 0, 4),
        ((2, 2), (4, 1), 0, 4),
        ((10**6, 10**6), (0, 0), 0, 4),
        ((-1,), (1,), 0, 4),
        ((4,), (-1,), 3, 4),
        ((4,), (1, 1), 0, 4),
        ((4,), (1,), -1, 4),
        ((10**30,), (1,), 0, 4),
    ],
)
def test_a_tensor_that_reaches_out_of_its_numbers_is_refused(
    shape: tuple[int, ...], stride: tuple[int, ...], offset: int, count: int, tmp_path: Path
) -> None:
    path = tmp_path / "far.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", storage_pickle(shape, stride, offset, count))
        archive.writestr("archive/data/0", struct.pack("4f", 1, 2, 3, 4))
    with pytest.raises(EaselError, match=r"far\.ckpt"):
        read_all(path)


def test_numbers_that_are_missing_are_noticed(tmp_path: Path) -> None:
    raw_zip(tmp_path / "a.ckpt", storage_pickle((4,), (1,), 0, 4))
    with pytest.raises(EaselError, match='the numbers of "weight" are missing'):
        open_tensors(tmp_path / "a.ckpt")


def test_compressed_contents_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 10_000_000)
    with pytest.raises(EaselError, match="compressed"):
        open_tensors(tmp_path / "bomb.ckpt")


@both_formats
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.999])
def test_a_file_cut_short_anywhere_is_refused(share: float, zipped: bool, tmp_path: Path) -> None:
    torch.save(sample(), tmp_path / "whole.ckpt", _use_new_zipfile_serialization=zipped)
    data = (tmp_path / "whole.ckpt").read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(EaselError, match=r"cut\.ckpt"):
        open_tensors(tmp_path / "cut.ckpt")


@both_formats
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    zipped: bool, data: st.DataObject, tmp_path: Path
) -> None:
    torch.save(sample(), tmp_path / "whole.ckpt", _use_new_zipfile_serialization=zipped)
    damaged = bytearray((tmp_path / "whole.ckpt").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "hurt.ckpt").write_bytes(damaged)
    try:
        read_all(tmp_path / "hurt.ckpt")
    except EaselError as error:
        assert "hurt.ckpt" in str(error)
