"""Files that are small and would become huge: refused by their header, wherever a picture is taken."""

import base64
import io
import resource
import struct
import zlib

import pytest
from PIL import Image

PLACES = (
    ("/sdapi/v1/png-info", "image"),
    ("/sdapi/v1/extra-single-image", "image"),
    ("/sdapi/v1/img2img", "init_images"),
    ("/easel/v1/verify", "picture"),
)
MEGABYTE = 2**20


def peak() -> int:
    """The most memory that the process ever had, KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def grown_since(before: int) -> float:
    """By how many MB `peak` has grown."""
    return (peak() - before) / 1024


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


def many_texts() -> list[bytes]:
    text = b"parameters\0\0" + zlib.compress(b"x" * (MEGABYTE - 1), 9)
    return [chunk(b"zTXt", text)] * 200


BOMBS = {
    "a thousand megapixels": png(31_623, 31_623),
    "the widest that a header can say": png(2**31 - 1, 2**31 - 1),
    "a huge JPEG": jpeg(65_500, 65_500),
    "a text that unpacks to a gigabyte": png(
        8, 8, chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 100 * MEGABYTE, 9))
    ),
    "an international text that unpacks to a gigabyte": png(
        8, 8, chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(b"x" * 100 * MEGABYTE, 9))
    ),
    "many texts that unpack to a gigabyte together": png(8, 8, *many_texts()),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n",
}


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
@pytest.mark.parametrize(("route", "field"), PLACES, ids=[route for route, _ in PLACES])
def test_a_bomb_is_refused_with_a_sentence_and_takes_no_memory(client, bomb, route, field):
    text = base64.b64encode(BOMBS[bomb]).decode()
    before = peak()
    answer = client.post(route, json={field: [text] if field == "init_images" else text})
    assert grown_since(before) < 150
    assert 400 <= answer.status_code < 500 or (route.endswith("verify") and answer.status_code == 200), (
        answer.text[:300]
    )
    assert len(answer.json().get("detail") or answer.json().get("sentence")) > 20


def gif(frames: int) -> bytes:
    """An animation of 400x400; each frame is one megabyte in memory and some bytes in the file."""
    file = io.BytesIO()
    Image.new("P", (400, 400)).save(file, "gif")
    data = file.getvalue()
    start = data.index(b",")  # of the first frame; the last byte ends the file
    return data[:start] + data[start:-1] * frames + data[-1:]


def webp(frames: int) -> bytes:
    """The same as WebP."""
    file = io.BytesIO()
    two = [Image.new("RGB", (400, 400), colour) for colour in ("red", "blue")]
    two[0].save(file, "webp", save_all=True, append_images=two[1:])
    data = file.getvalue()
    body = data[12 : data.index(b"ANMF")] + data[data.index(b"ANMF") :] * (frames // 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


ANIMATIONS = {"GIF": gif(2000), "WebP": webp(2000)}


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_of_an_animation_the_first_frame_alone_is_unpacked(client, kind):
    data, before = ANIMATIONS[kind], peak()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.n_frames == 2000
    text = base64.b64encode(data).decode()
    assert client.post("/sdapi/v1/png-info", json={"image": text}).status_code == 200
    larger = client.post("/sdapi/v1/extra-single-image", json={"image": text, "upscaling_resize": 1})
    assert larger.status_code == 200, larger.text[:300]
    assert client.post("/easel/v1/verify", json={"picture": text}).json()["kind"] == "cannot"
    assert grown_since(before) < 150


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
