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


def short_text(text: bytes) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text


def doubled(times: int = 60) -> bytes:
    """A tuple of twice the tuple before, kept as number `times` of the memo."""
    steps = b"".join(b"0h" + bytes([k]) + b"h" + bytes([k]) + b"\x86q" + bytes([k + 1]) for k in range(times))
    return b"\x80\x04)q\0" + steps


def deep_from_outside_in() -> bytes:
    """A list in a list and so on, each filled only when it is in its place."""
    steps = (b"j" + struct.pack("<I", k) + b"]r" + struct.pack("<I", k + 1) + b"a0" for k in range(40_000))
    return b"\x80\x02]q\0" + b"".join(steps) + b"."


def colliding_tuples() -> bytes:
    """Keys of two numbers each, all with one hash: that of a tuple is undone step by step."""
    first, second, fifth, mask = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x27D4EB2F165667C5, 2**64 - 1

    def turned(value: int, by: int) -> int:
        return (value << by | value >> (64 - by)) & mask

    keys, number = [], 0
    while len(keys) < 20_000:
        number += 1
        inner = turned((fifth + number * second) & mask, 31) * first & mask
        # What the second number has to add, so that the sum is the same each time.
        other = (12345 - inner) * pow(second, -1, 2**64) & mask
        if other < PRIME:
            keys.append(
                b"\x8a\x09" + number.to_bytes(9, "little") + b"\x8a\x09" + other.to_bytes(9, "little")
            )
    assert (
        len({hash((int.from_bytes(key[2:11], "little"), int.from_bytes(key[13:], "little"))) for key in keys})
        == 1
    )
    return b"\x80\x02}(" + b"".join(key + b"\x86N" for key in keys) + b"u."


def long_equal_keys() -> bytes:
    """Two equal texts of seven million letters, put under each other again and again."""
    text = b"X" + struct.pack("<I", 7_000_000) + b"a" * 7_000_000
    return b"\x80\x02}" + text + b"q\0Ns" + text + b"q\1Ns" + b"h\0Nsh\1Ns" * 40_000 + b"."


def copied_again(call: bytes) -> bytes:
    """A list of many pairs that `call` copies, again and again."""
    pairs = b"](" + b"".join(b"M" + struct.pack("<H", k) + b"N\x86" for k in range(30_000)) + b"eq\0"
    return b"\x80\x02" + pairs + b"(" + (call + b"h\0\x85R") * 20_000 + b"l."


def shared_lists() -> bytes:
    """Thirty thousand names of one list of thirty thousand texts."""
    texts = b"](" + short_text(b"word") * 30_000 + b"eq\0"
    return (
        b"\x80\x04"
        + texts
        + b"0}("
        + b"".join(b"M" + struct.pack("<H", k) + b"h\0" for k in range(30_000))
        + b"u."
    )


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
    "doubled key": lambda: doubled() + b"0}h\x3cK\1s.",
    "doubled member of a set": lambda: doubled() + b"0\x8f(h\x3c\x90.",
    "doubled value": lambda: doubled() + b"0}K\1h\x3cs.",
    "deep set": lambda: b"\x80\x04\x8f(N" + b"\x85" * 200_000 + b"\x90.",
    "deep arguments": lambda: b"\x80\x04cargparse\nNamespace\nN" + b"\x85" * 200_000 + b"R.",
    "a list in itself": lambda: b"\x80\x02]q\0h\0a.",
    "long name": lambda: b"\x80\x02comegaconf." + b"a" * (4 << 20) + b"\nb\n.",
}
LONG = {
    "doubled key of a dictionary of old": lambda: doubled() + b"0(h\x3cK\1d.",
    "doubled pair of an OrderedDict": lambda: (
        doubled() + b"0ccollections\nOrderedDict\n(h\x3cK\1\x86\x85\x85R."
    ),
    "doubled storage": lambda: (
        doubled() + b"0(X\x07\0\0\0storagectorch\nFloatStorage\nh\x3cX\3\0\0\0cpuK\1tQ."
    ),
    "deep frozen set": lambda: b"\x80\x04(N" + b"\x85" * 200_000 + b"\x91.",
    "deep key": lambda: b"\x80\x04}N" + b"\x85" * 200_000 + b"Ns.",
    "deep pairs": lambda: b"\x80\x04}N" + b"N\x86" * 100_000 + b"s.",
    "deep marks": lambda: b"\x80\x04" + b"(" * 90_000 + b"t" * 90_000 + b".",
    "deep list": lambda: b"\x80\x04" + b"]" * 90_000 + b"a" * 89_999 + b".",
    "deep dictionary": lambda: b"\x80\x04" + b"}K\1" * 60_000 + b"}" + b"s" * 60_000 + b".",
    "deep from outside in": deep_from_outside_in,
    "tuples that collide": colliding_tuples,
    "long keys that are equal": long_equal_keys,
    "one list, copied again": lambda: copied_again(b"ccollections\nOrderedDict\n"),
    "a text for a size": lambda: (
        b"\x80\x02X\x00\x00\x80\x00" + b"a" * (8 << 20) + b"q\0(" + b"ctorch\nSize\nh\0\x85R" * 99 + b"l."
    ),
    "texts without end": lambda: b"\x80\x02(" + (b"X\x00\x00\x40\x00" + b"a" * (4 << 20)) * 8 + b"l.",
    "one list under many names": shared_lists,
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
    "metadata of lists": lambda: safetensors(b'{"__metadata__":{"a":' + b"[" * 100_000 + b"}}"),
    "lists in a tensor": lambda: safetensors(b'{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001),
    "number of megabytes": lambda: safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 5_000_000 + b'],"data_offsets":[0,4]}}'
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
    "deep by its lines": lambda: b"".join(b" " * k + b"a:\n" for k in range(170)) + b"]",
    "lists within a line": lambda: b"- " * 7_900 + b"]",
    "a list for a key": lambda: b"? [a, [b]]\n: 1\n",
    "number of 16 thousand digits": lambda: b"model: {params: {linear_start: 0x" + b"f" * 15_000 + b"}}",
    "number of hours": lambda: b"model: {params: {linear_start: 1" + b":59" * 4_000 + b"}}",
    "many keys": lambda: b"".join(b"a%d: 1\n" % number for number in range(1_700)) + b"}",
}
