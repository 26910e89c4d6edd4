"""Files that are small and would become huge: refused by their header, wherever a picture is taken."""

import base64
import resource
import struct
import zlib

import pytest

PLACES = (
    ("/sdapi/v1/png-info", "image"),
    ("/sdapi/v1/extra-single-image", "image"),
    ("/sdapi/v1/img2img", "init_images"),
    ("/easel/v1/verify", "picture"),
)
MEGABYTE = 2**20


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    frame = (
        b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    )
    return b"\xff\xd8" + frame + b"\xff\xd9"


BOMBS = {
    "a thousand megapixels": png(31_623, 31_623),
    "the widest that a header can say": png(2**31 - 1, 2**31 - 1),
    "a huge JPEG": jpeg(65_500, 65_500),
    "a text that unpacks to a gigabyte": png(
        8, 8, chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 100 * MEGABYTE, 9))
    ),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n",
}


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
@pytest.mark.parametrize(("route", "field"), PLACES, ids=[route for route, _ in PLACES])
def test_a_bomb_is_refused_with_a_sentence_and_takes_no_memory(client, bomb, route, field):
    text = base64.b64encode(BOMBS[bomb]).decode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = client.post(route, json={field: [text] if field == "init_images" else text})
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert 400 <= answer.status_code < 500 or (route.endswith("verify") and answer.status_code == 200), (
        answer.text[:300]
    )
    assert len(answer.json().get("detail") or answer.json().get("sentence")) > 20
    assert grown < 150


@pytest.mark.parametrize("route", ["/sdapi/v1/txt2img", "/sdapi/v1/options"])
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"image":' * 50_000], ids=["lists", "objects"])
def test_json_that_is_too_deep_is_refused(client, route, body):
    answer = client.post(route, content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text[:300]


@pytest.mark.parametrize("number", ["1e999999", "1" * 4000], ids=["infinite", "long"])
def test_a_number_that_is_too_large_is_refused(client, number):
    body = f'{{"steps": {number}}}'.encode()
    answer = client.post("/sdapi/v1/txt2img", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text[:300]
