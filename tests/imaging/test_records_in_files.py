"""The record beside the generation text: carried by every format that can, and in nobody's way."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.imaging import (
    PictureFacts,
    PictureFormat,
    SaveFormat,
    SaveOptions,
    SavePlace,
    encode_picture,
    png_info,
    read_texts,
    save_picture,
)
from modules.imaging.xmp import record_to_xmp, xmp_to_record
from modules.settings import Options

picture = Image.new("RGB", (8, 8), "red")
INFOTEXT = "a cat, 猫\nSteps: 1, Sampler: Euler, Seed: 2, Size: 8x8"
KEEPING = [PictureFormat.PNG, PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF]
every_format = pytest.mark.parametrize("format_", list(PictureFormat))
keeping_formats = pytest.mark.parametrize("format_", KEEPING)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@keeping_formats
@given(value=any_json)
def test_a_record_comes_back_whatever_characters_it_holds(format_: PictureFormat, value: Any) -> None:
    texts = read_texts(opened(encode_picture(picture, INFOTEXT, SaveFormat(format_), dumped(value)).data))
    assert texts.record is not None and json.loads(texts.record) == value
    assert texts.infotext == INFOTEXT


@every_format
def test_the_fields_programs_read_the_same_with_and_without_a_record(format_: PictureFormat) -> None:
    plain, recorded = (
        png_info(opened(encode_picture(picture, INFOTEXT, SaveFormat(format_), record).data))
        for record in (None, '{"prompt": "<猫> & \\"]]>"}')
    )
    assert recorded == plain


@every_format
def test_a_picture_without_a_record_has_none(format_: PictureFormat) -> None:
    for arguments in ((SaveFormat(format_),), (SaveFormat(format_, with_record=False), "{}")):
        encoded = encode_picture(picture, INFOTEXT, *arguments)
        assert read_texts(opened(encoded.data)).record is None
        assert not encoded.record_left_out


@every_format
def test_a_record_does_not_change_a_pixel(format_: PictureFormat) -> None:
    noise = Image.effect_noise((32, 32), 90).convert("RGB")
    files = (encode_picture(noise, INFOTEXT, SaveFormat(format_), record).data for record in (None, "{}"))
    plain, recorded = (opened(data).convert("RGB").tobytes() for data in files)
    assert plain == recorded


def test_a_gif_says_that_it_has_no_place_for_a_record() -> None:
    assert encode_picture(picture, INFOTEXT, SaveFormat(PictureFormat.GIF), "{}").record_left_out


@pytest.mark.parametrize(
    ("format_", "characters", "fits"),
    [
        (PictureFormat.JPEG, 60_000, True),
        (PictureFormat.JPEG, 65_000, False),
        (PictureFormat.PNG, 999_000, True),
        (PictureFormat.PNG, 1_100_000, False),
        (PictureFormat.WEBP, 1_100_000, True),
        (PictureFormat.AVIF, 1_100_000, True),
    ],
)
def test_a_record_too_long_for_the_format_is_left_out_and_said_so(
    format_: PictureFormat, characters: int, fits: bool
) -> None:
    record = dumped("x" * characters)
    encoded = encode_picture(picture, INFOTEXT, SaveFormat(format_), record)
    assert encoded.record_left_out is not fits
    texts = read_texts(opened(encoded.data))
    assert (texts.record, texts.infotext) == (record if fits else None, INFOTEXT)


def test_record_and_text_have_a_segment_of_their_own_in_a_jpeg() -> None:
    infotext, record = "x" * 32_000, dumped("y" * 60_000)
    encoded = encode_picture(picture, infotext, SaveFormat(PictureFormat.JPEG), record)
    texts = read_texts(opened(encoded.data))
    assert (texts.infotext, texts.record) == (infotext, record)


@pytest.mark.parametrize("with_record", [True, False])
def test_a_saved_picture_carries_its_record_where_the_setting_says_so(tmp_path, with_record: bool) -> None:
    options = SaveOptions.from_options(Options().overridden({"enable_picture_record": with_record}))
    saved = save_picture(picture, SavePlace(tmp_path, PictureFacts()), INFOTEXT, options, record='{"a": 1}')
    with Image.open(saved.path) as image:
        assert read_texts(image).record == ('{"a": 1}' if with_record else None)


@keeping_formats
def test_xmp_of_other_programs_is_left_among_the_items(format_: PictureFormat) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>not ours</a></x:xmpmeta>'
    file = io.BytesIO()
    picture.save(file, "JPEG" if format_ is PictureFormat.JPEG else format_.upper(), xmp=packet)
    texts = read_texts(opened(file.getvalue()))
    assert texts.record is None
    if format_ is not PictureFormat.PNG:
        assert "not ours" in texts.items["xmp"]


def test_a_record_that_another_program_wrote_as_an_attribute_is_found() -> None:
    packet = record_to_xmp("REPLACE").replace(b"<easel:record>REPLACE</easel:record>", b"")
    packet = packet.replace(b'rdf:about=""', b"rdf:about='' q:record='{&quot;a&quot;: 1}'")
    assert xmp_to_record(packet.replace(b"xmlns:easel", b"xmlns:q")) == '{"a": 1}'


@given(st.binary(max_size=80), st.integers(0, 400))
def test_broken_xmp_is_no_record_and_no_failure(garbage: bytes, at: int) -> None:
    packet = record_to_xmp('{"a": 1}')
    broken = packet[:at] + garbage + packet[at + 3 :]
    found = xmp_to_record(broken)
    assert found is None or isinstance(found, str)


def test_xml_that_grows_when_it_is_read_is_not_read() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]>' + record_to_xmp("&b;" * 10)
    assert xmp_to_record(bomb) is None


def test_reading_records_takes_nothing_heavy() -> None:
    code = "import sys, modules.imaging; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
