"""Files made to harm: what is in them, and a program that reads each and measures what that costs.

python hostile_files.py FOLDER     prints a line of JSON for each, see `Outcome`
"""

import base64
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

CANARY = "canary"
FLOOD = 10 << 20
PRIME = 2**61 - 1
"""Python's hash of a whole number is its rest by this."""


def called(module: str, name: str, *arguments: str) -> bytes:
    """A pickle that calls `module.name` with texts."""
    given = b"".join(b"X" + struct.pack("<I", len(each)) + each.encode() for each in arguments)
    texts = b"\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)]) + name.encode()
    return b"\x80\x04" + texts + b"\x93(" + given + b"tR."


def in_zip(data: bytes, **entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, contents in entries.items():
            archive.writestr(f"archive/{name}", contents)
    return buffer.getvalue()


def deflated(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", data)
    return buffer.getvalue()


def nested_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/model.pt", in_zip(called("os", "system", "true")))
    return buffer.getvalue()


def long_directory() -> bytes:
    """One entry, a million times in the table of contents."""
    data = in_zip(b"\x80\x02}.")
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry, tail = data[start:end], bytearray(data[end:])
    times = FLOOD // len(entry)
    struct.pack_into("<HHII", tail, 8, 65535, 65535, len(entry) * times, start)
    return data[:start] + entry * times + bytes(tail)


def laughing() -> bytes:
    """Lists of fifty times the list before: more than a thousand million values in a few hundred bytes."""
    levels = b"".join(b"0](" + (b"h" + bytes([k])) * 50 + b"eq" + bytes([k + 1]) for k in range(6))
    return b"\x80\x02](K\x01eq\x00" + levels + b"."


def tensor(shape: tuple[int, ...], count: int = 4, views: int = 1) -> bytes:
    """`views` tensors over one storage of `count` numbers."""
    import torch

    class Writer(pickle._Pickler):
        def persistent_id(self, value: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if value is Writer else None

    class Call:
        def __init__(self, *call: Any) -> None:
            self.call = call[0], call[1:]

        def __reduce__(self) -> Any:
            return self.call

    buffer = io.BytesIO()
    stride = (1,) * len(shape)
    rebuild = partial(Call, torch._utils._rebuild_tensor_v2, Writer, 0, shape, stride, False)
    Writer(buffer, 2).dump({"state_dict": {str(k): rebuild({}) for k in range(views)}})
    return buffer.getvalue()


def colliding_keys() -> bytes:
    keys = (pickle.encode_long(k * PRIME) for k in range(1, 40_000))
    return b"\x80\x02}(" + b"".join(b"\x8a" + bytes([len(key)]) + key + b"N" for key in keys) + b"u."


def safetensors(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def in_png(text: bytes) -> bytes:
    from PIL import Image, PngImagePlugin

    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("sd-ti-embedding", base64.b64encode(text).decode())
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def merging_yaml() -> bytes:
    lines = [f"a{k}: &a{k} {{<<: [{', '.join([f'*a{k - 1}'] * 9)}]}}" for k in range(1, 9)]
    return "\n".join(["a0: &a0 {x: 1}", *lines, "model: {params: {}}"]).encode()


CODE = f"open({CANARY!r}, 'w')"
CALLS = {
    "os.system": called("os", "system", f"touch {CANARY}"),
    "posix.system": called("posix", "system", f"touch {CANARY}"),
    "eval": called("builtins", "eval", CODE),
    "exec": called("builtins", "exec", CODE),
    "open": called("builtins", "open", CANARY, "w"),
    "subprocess": called("subprocess", "getoutput", f"touch {CANARY}"),
    "import": called("importlib", "import_module", "antigravity"),
    "runpy": called("runpy", "run_path", CANARY),
    "pip": called("pip", "main"),
    "partial": called("functools", "partial"),
    "getattr": called("builtins", "getattr", "x", "y"),
    "torch.load": called("torch", "load", CANARY),
    "torch.hub": called("torch.hub", "load", CANARY),
    "bytes within": called("torch.storage", "_load_from_bytes", CANARY),
    "rebuild by name": called("torch._tensor", "_rebuild_from_type_v2", CANARY),
    "dotted": called("torch", "serialization.os.system", f"touch {CANARY}"),
    "attribute of a known name": called("torch._utils", "_rebuild_tensor_v2.__globals__"),
    "class of a known name": called("collections", "OrderedDict.__class__"),
    "module": called("torch.nn.modules.linear", "Linear"),
    "half a character": b"\x80\x04\x8c\x03\xed\xa0\x80\x8c\x01x\x93.",
}
ODD = {
    "chain of calls": lambda: b"\x80\x02cos\nsystem\n" + b")R" * 100_000 + b".",
    "text of 2^62": lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
    "bytes of 2^40": lambda: b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
    "frame of 2^62": lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
    "memo of 2^32": lambda: b"\x80\x02}r\xff\xff\xff\xff.",
    "number of megabytes": lambda: b"\x80\x02L" + b"9" * 5_000_000 + b"L\n.",
    "keys that collide": colliding_keys,
    "tensor of 2^80": lambda: tensor((2**40, 2**40)),
    "storage of 2^62": lambda: tensor((2**31, 2**31), 2**62),
}
LONG = {
    "instructions without end": lambda: b"\x80\x02" + b"N0" * FLOOD + b"}.",
    "tuples without end": lambda: b"\x80\x02)" + b"\x85" * 3_000_000 + b".",
    "100000 axes": lambda: tensor((2**62,) * 100_000),
}
Make = Callable[[], bytes]


def both(pickles: dict[str, Make]) -> dict[str, Make]:
    """As torch writes them today, in a zip, and as it did before."""
    zipped = {f"{name}, in a zip": lambda make=make: in_zip(make()) for name, make in pickles.items()}
    return zipped | {f"{name}, bare": make for name, make in pickles.items()}


TORCH = both({name: partial(bytes, data) for name, data in CALLS.items()} | ODD) | {
    "zip in a zip": nested_zip,
    "cut": lambda: in_zip(tensor((4,)))[:-30],
}
LARGE = both(LONG) | {
    "zip bomb": lambda: deflated(bytes(50_000_000)),
    "directory without end": long_directory,
    "byte order of 50 MB": lambda: in_zip(b"\x80\x02}.", byteorder=bytes(50_000_000)),
    "one storage, many views": lambda: in_zip(tensor((1 << 20,), 1 << 20, 200), **{"data/0": bytes(4 << 20)}),
}
"""Costly to make, so one reader of the common way to all of them meets them."""
TREES: dict[str, Make] = {"lists of lists": lambda: in_zip(laughing())}
PICTURES: dict[str, Make] = {
    "nested without end": lambda: in_png(b'{"a":' + b"[" * 100_000),
    "a table for numbers": lambda: in_png(b'{"string_to_param":{"*":{"TORCHTENSOR":{"a":1}}}}'),
    "uneven rows": lambda: in_png(b'{"string_to_param":{"*":{"TORCHTENSOR":[[1],[1,2]]}}}'),
    "words for numbers": lambda: in_png(b'{"string_to_param":{"*":{"TORCHTENSOR":["a"]}}}'),
    "lists without end": lambda: in_png(b"[" + b"[]," * (FLOOD // 2) + b"[]]"),
    "no JSON": lambda: in_png(b"\xff\xfe"),
}
SAFETENSORS: dict[str, Make] = {
    "header of 10^9": lambda: safetensors(b"{" + b" " * 50, length=10**9),
    "header of 2^63": lambda: safetensors(b"{" + b" " * 50, length=2**63),
    "header of lists": lambda: safetensors(b'{"a":[' + b"[]," * FLOOD + b"[]]}"),
    "axes without end": lambda: safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"1," * FLOOD + b'1],"data_offsets":[0,4]}}', b"1234"
    ),
    "axes of 2^62": lambda: safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"4611686018427387904," * 90_000 + b'1],"data_offsets":[0,4]}}'
    ),
    "a list for a type": lambda: safetensors(b'{"a":{"dtype":[],"shape":[1],"data_offsets":[0,4]}}', b"1234"),
    "overlapping": lambda: safetensors(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
        bytes(12),
    ),
    "half a character": lambda: safetensors(
        b'{"\\ud800":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}', b"1234"
    ),
}
YAML: dict[str, Make] = {
    "merges of merges": merging_yaml,
    "long": lambda: b"model: {params: {a: [" + b"1, " * 300_000 + b"1]}}",
    "deep": lambda: b"model: " + b"[" * 12_000,
    "many keys": lambda: b"".join(b"a%d: 1\n" % number for number in range(1_700)) + b"}",
}
