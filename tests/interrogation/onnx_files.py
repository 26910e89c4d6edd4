"""ONNX files written by hand: a tagger whose scores are the mean colours of the picture, or fixed numbers.

The format is a protobuf message; the numbers below are those of the fields in onnx.proto. So no test needs the
package onnx.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

FLOAT, WHOLE, TRUTH = 1, 7, 9
VARINT, BYTES = 0, 2


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | BYTES) + varint(len(data)) + data


def value_info(name: str, shape: Sequence[int | str], kind: int = FLOAT) -> bytes:
    dims = b"".join(field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in shape)
    tensor = field(1, kind) + field(2, dims)
    return field(1, name) + field(2, field(1, tensor))


def node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    parts = [field(1, name) for name in inputs] + [field(2, output), field(4, kind)]
    return b"".join(parts + [field(5, attribute) for attribute in attributes])


def whole_number(name: str, value: int) -> bytes:
    return field(1, name) + field(3, value) + field(20, 2)


def initializer(name: str, dims: Sequence[int], values: Sequence[float] | Sequence[int]) -> bytes:
    is_whole = all(isinstance(value, int) for value in values)
    raw = struct.pack(f"<{len(values)}{'q' if is_whole else 'f'}", *values)
    shape = b"".join(field(1, side) for side in dims)
    return shape + field(2, 7 if is_whole else FLOAT) + field(8, name) + field(9, raw)


def write_tagger(
    path: Path,
    shape: Sequence[int | str],
    *,
    scores: Sequence[float] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that takes `shape` and answers (1, n): `scores`, or the mean of each of the three channels."""
    channels_first = shape[1] == 3
    sides = [2, 3] if channels_first else [1, 2]
    axes = initializer("axes", [2], sides)
    nodes = [node("ReduceMean", ["picture", "axes"], "mean", whole_number("keepdims", 0))]
    initializers = [axes]
    if scores is not None:
        nodes.append(node("ReduceMean", ["mean", "one"], "single", whole_number("keepdims", 1)))
        nodes.append(node("Mul", ["single", "zeros"], "nothing"))
        nodes.append(node("Add", ["nothing", "scores"], "answer"))
        initializers.append(initializer("one", [1], [1]))
        initializers.append(initializer("zeros", [1, len(scores)], [0.0] * len(scores)))
        initializers.append(initializer("scores", [1, len(scores)], [float(score) for score in scores]))
    else:
        nodes.append(node("Identity", ["mean"], "answer"))
    count = 3 if scores is None else len(scores)
    graph = b"".join(field(1, each) for each in nodes) + field(2, "tagger")
    graph += b"".join(field(5, each) for each in initializers)
    graph += field(11, value_info("picture", shape)) + field(12, value_info("answer", [1, count]))
    model = field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 18))
    for key, value in (metadata or {}).items():
        model += field(14, field(1, key) + field(2, value))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)
    return path


def write_endless(path: Path, side: int = 16) -> Path:
    """A tagger of three tags whose graph goes round for ever."""
    again = [node("Identity", ["go"], "goes on"), node("Identity", ["value"], "same value")]
    body = b"".join(field(1, each) for each in again) + field(2, "body")
    inputs = value_info("turn", [], WHOLE), value_info("go", [], TRUTH), value_info("value", [1, 3])
    body += b"".join(field(11, each) for each in inputs)
    body += field(12, value_info("goes on", [], TRUTH)) + field(12, value_info("same value", [1, 3]))
    loop = node("Loop", ["", "true", "mean"], "answer", field(1, "body") + field(6, body) + field(20, 5))
    nodes = [node("ReduceMean", ["picture", "axes"], "mean", whole_number("keepdims", 0)), loop]
    graph = b"".join(field(1, each) for each in nodes) + field(2, "endless")
    graph += field(5, initializer("axes", [2], [1, 2])) + field(
        5, field(2, TRUTH) + field(8, "true") + field(9, b"\1")
    )
    graph += field(11, value_info("picture", [1, side, side, 3])) + field(12, value_info("answer", [1, 3]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 18)))
    path.with_name("tags.txt").write_text("one\ntwo\nthree")
    return path


def write_hungry(path: Path, side: int = 16) -> Path:
    """A tagger whose graph of a few bytes makes a tensor of 40 gigabytes."""
    nodes = [
        node("ReduceMean", ["picture", "axes"], "mean", whole_number("keepdims", 0)),
        node("ReduceMean", ["mean", "one"], "single", whole_number("keepdims", 1)),
        node("Expand", ["single", "shape"], "large"),
        node("ReduceMean", ["large", "one"], "answer", whole_number("keepdims", 1)),
    ]
    shapes = ("axes", [1, 2]), ("one", [1]), ("shape", [100_000, 100_000])
    graph = b"".join(field(1, each) for each in nodes) + field(2, "hungry")
    graph += b"".join(field(5, initializer(name, [len(values)], values)) for name, values in shapes)
    graph += field(11, value_info("picture", [1, side, side, 3])) + field(12, value_info("answer", ["N", 1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 18)))
    path.with_name("tags.txt").write_text("one\ntwo\nthree")
    return path
