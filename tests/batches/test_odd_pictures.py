"""Batches with pictures that no reader takes: each is named with its reason, and the rest is drawn."""

import struct
import zlib

from modules.batches import BatchState, OutcomeKind

from .conftest import CLIENT, picture


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(extra: bytes) -> bytes:
    whole = picture()
    return whole[:33] + extra + whole[33:]


PROFILE = with_chunk(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(60 << 20), 9)))
"""A colour profile that unpacks to 60 MB."""
TABLE = with_chunk(chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + b"\x90\0\0\x07\0\0\xff\xff\0\0\0\0" * 9000))
ODD = {
    "b": PROFILE,
    "c": b"P3\n3000 3000\n255\n" + b"1 " * 99,
    "d": b"II*\0\xff\xff\xff\xff",
    "e": picture()[:60],
    "f": b"",
}


def test_odd_pictures_are_named_and_the_rest_is_drawn_by_every_size(works, folder, plan, until):
    pictures = folder("in", a=picture(), **ODD, g=TABLE, h=picture())
    with (pictures / "i.png").open("wb") as file:
        file.truncate(1_500_000_000)  # sparse: it takes no room
    batch = works.batches.start(plan(input_folder="in", scale_by=1.0), CLIENT)
    works.gate.open.set()
    until(lambda: batch.state is BatchState.DONE)
    failed = batch.of_kind(OutcomeKind.FAILED)
    assert list(failed) == ["b.png", "c.png", "d.png", "f.png", "i.png"]
    assert "i.png has 1500 MB" in failed["i.png"]
    assert all(len(sentence) > 20 for sentence in failed.values())
    assert set(batch.of_kind(OutcomeKind.DONE)) == {"a.png", "e.png", "g.png", "h.png"}


def test_an_error_that_nobody_foresaw_is_that_pictures_and_continue_goes_on(
    works, four, plan, until, monkeypatch
):
    from modules.batches import feeder

    made = feeder.order_of_picture

    def order_of_picture(name, *arguments):
        if name == "b.png":
            raise RuntimeError("of a reader")
        return made(name, *arguments)

    monkeypatch.setattr(feeder, "order_of_picture", order_of_picture)
    works.gate.open.set()
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
    assert batch.of_kind(OutcomeKind.FAILED) == {
        "b.png": "b.png cannot be drawn: RuntimeError; the log has more."
    }
    monkeypatch.undo()
    works.batches.go_on(batch.id, with_failed=True)
    until(lambda: batch.state is BatchState.DONE)
    assert not batch.of_kind(OutcomeKind.FAILED)
    assert len(batch.of_kind(OutcomeKind.DONE)) == 4
