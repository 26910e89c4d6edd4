"""Texts in picture files: written, read back, and never a reason to fail."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo as PngChunks

from modules.errors import EaselError, InvalidRequest
from modules.imaging import PictureFormat, SaveFormat, encode_picture, png_info, read_texts

REFERENCE = Path(__file__).parents[1] / "parity" / "reference" / "png_info.json"
RECORDED: list[dict[str, Any]] = json.loads(REFERENCE.read_text(encoding="utf-8"))

picture = Image.new("RGB", (8, 8), "red")
every_format = pytest.mark.parametrize("format_", list(PictureFormat))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def png(texts: dict[str, str]) -> bytes:
    chunks = PngChunks()
    for key, value in texts.items():
        chunks.add_text(key, value)
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def recorded_file(recorded: dict[str, Any]) -> bytes:
    if recorded["kind"].startswith("NovelAI"):
        return png(recorded["response"]["items"])
    format_ = PictureFormat.JPEG if recorded["kind"].startswith("jpeg") else PictureFormat.PNG
    return encode_picture(picture, recorded["text"], SaveFormat(format_)).data


@pytest.mark.parametrize(
    "recorded", RECORDED, ids=lambda recorded: recorded["kind"] + recorded["response"]["info"][:9]
)
def test_png_info_answers_as_recorded(recorded: dict[str, Any]) -> None:
    found = png_info(opened(recorded_file(recorded)))
    answer = {"info": found.info, "items": found.items, "parameters": found.parameters}
    assert answer == recorded["response"]


@every_format
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_every_format_keeps_the_text(format_: PictureFormat, text: str) -> None:
    text = f"{text}\nSteps: 1, Seed: 2, Size: 8x8"
    assert read_texts(opened(encode_picture(picture, text, SaveFormat(format_)).data)).infotext == text


@every_format
def test_halves_of_characters_do_not_stop_a_picture(format_: PictureFormat) -> None:
    data = encode_picture(picture, "a \ud800 b", SaveFormat(format_)).data
    assert read_texts(opened(data)).infotext == "a \ufffd b"


@every_format
def test_a_picture_can_be_saved_without_its_text(format_: PictureFormat) -> None:
    data = encode_picture(picture, "secret", SaveFormat(format_, with_infotext=False)).data
    assert read_texts(opened(data)).infotext == ""


@every_format
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16", "LA", "I", "F", "CMYK"])
def test_every_colour_mode_can_be_written(format_: PictureFormat, mode: str) -> None:
    encoded = encode_picture(Image.new(mode, (8, 8)), "text", SaveFormat(format_))
    assert opened(encoded.data).size == (8, 8)


def test_lossless_webp_keeps_every_pixel() -> None:
    noise = Image.effect_noise((32, 32), 90).convert("RGB")
    data = encode_picture(noise, "", SaveFormat(PictureFormat.WEBP, webp_lossless=True)).data
    assert opened(data).convert("RGB").tobytes() == noise.tobytes()


def test_a_lower_quality_makes_a_smaller_file() -> None:
    noise = Image.effect_noise((64, 64), 90)
    sizes = [
        len(encode_picture(noise, "", SaveFormat(PictureFormat.JPEG, quality=quality)).data)
        for quality in (90, 20)
    ]
    assert sizes[1] < sizes[0]


def test_a_text_too_long_for_jpeg_is_left_out_and_said_so() -> None:
    encoded = encode_picture(picture, "x" * 40_000, SaveFormat(PictureFormat.JPEG))
    assert encoded.text_left_out
    assert read_texts(opened(encoded.data)).infotext == ""
    assert not encode_picture(picture, "x" * 32_000, SaveFormat(PictureFormat.JPEG)).text_left_out


def test_a_picture_too_large_for_its_format_becomes_a_png() -> None:
    encoded = encode_picture(Image.new("RGB", (16_400, 1)), "text", SaveFormat(PictureFormat.WEBP))
    assert encoded.format is PictureFormat.PNG
    assert read_texts(opened(encoded.data)).infotext == "text"


@every_format
def test_an_unwritable_picture_gets_a_sentence(format_: PictureFormat) -> None:
    with pytest.raises(EaselError, match=f"0x0 pixels cannot be written as {format_}"):
        encode_picture(Image.new("RGB", (0, 0)), "", SaveFormat(format_))


@pytest.mark.parametrize("name", ["png", ".PNG", "jpeg", "JPG", "webp"])
def test_formats_go_by_their_extensions(name: str) -> None:
    assert PictureFormat.named("samples_format", name).value in {"png", "jpg", "webp"}


@pytest.mark.parametrize("name", ["", "bmp", "../png"])
def test_an_unknown_format_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidRequest, match="png, jpg, webp"):
        PictureFormat.named("samples_format", name)


@pytest.mark.parametrize(
    ("comment", "read"),
    [
        (b"UNICODE\0" + "caf\u00e9".encode("utf-16-be"), "caf\u00e9"),
        (b"UNICODE\0" + "caf\u00e9".encode("utf-16-le"), "caf\u00e9"),
        (b"UNICODE\0" + "cafe".encode("utf-16"), "cafe"),
        (b"UNICODE\0" + "日本".encode("utf-16-be"), "日本"),
        (b"ASCII\0\0\0plain", "plain"),
        (b"JIS\0\0\0\0\0" + "日本".encode("shift_jis"), "日本"),
        (b"\0" * 8 + "café".encode(), "café"),
        ("no header é".encode(), "no header é"),
        (b"UNICODE\0a", "\ufffd"),
        (b"", ""),
    ],
)
def test_exif_comments_of_other_programs_are_read(comment: bytes, read: str) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: comment}
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif.tobytes())
    assert read_texts(opened(file.getvalue())).infotext == read


@given(st.binary(max_size=200))
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_no_text(garbage: bytes) -> None:
    for block in (b"Exif\0\0" + garbage, b"Exif\0\0II*\0\x08\0\0\0" + garbage):
        file = io.BytesIO()
        picture.save(file, "JPEG", exif=block)
        read_texts(opened(file.getvalue()))


def test_the_exif_comment_wins_over_parameters() -> None:
    chunks = PngChunks()
    chunks.add_text("parameters", "from png")
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"ASCII\0\0\0from exif"}
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=chunks, exif=exif.tobytes())
    texts = read_texts(opened(file.getvalue()))
    assert texts.infotext == texts.items["exif comment"] == "from exif"


def test_a_text_behind_the_pixels_is_found() -> None:
    data = png({"parameters": "late"})
    at = data.index(b"tEXt") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    chunk = data[at : at + length]
    end = data.index(b"IEND") - 4
    moved = data[:at] + data[at + length : end] + chunk + data[end:]
    assert read_texts(opened(moved)).infotext == "late"


@pytest.mark.parametrize("comment", ["", "{", "[]", "null", '{"steps": 1}', "[" * 100_000])
def test_broken_novelai_fields_are_no_generation_text(comment: str) -> None:
    texts = read_texts(opened(png({"Software": "NovelAI", "Description": "x", "Comment": comment})))
    assert texts.infotext == ""
    assert texts.items["Software"] == "NovelAI"


def test_items_are_plain_json() -> None:
    image = Image.new("RGB", (8, 8))
    image.info = {
        "bytes": b"\xff\xfea",
        "tuple": (1, b"x"),
        "gamma": 0.45,
        "object": object(),
        "dpi": (72, 72),
    }
    items = read_texts(image).items
    assert json.loads(json.dumps(items)) == items
    assert {key: items[key] for key in ("bytes", "tuple", "gamma")} == {
        "bytes": "a",
        "tuple": [1, "x"],
        "gamma": 0.45,
    }
    assert "dpi" not in items
