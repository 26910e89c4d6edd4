"""Pictures from outside: judged by their heads, bounded in what they cost, and read in one place."""

import base64
import io
import re
import struct
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo as PngChunks

from modules.errors import InvalidRequest, TooBusy
from modules.imaging import (
    decoded,
    encode_picture,
    load_picture,
    open_picture,
    read_picture_file,
    read_texts,
    upright,
)
from modules.imaging.encoding import SaveFormat
from modules.imaging.incoming import DECODING, LARGEST_FILE, MOST_PIXELS_OF_CALL
from modules.imaging.pixel_budget import PixelBudget

MODULES = Path(__file__).parents[2] / "modules"
THEIR_OWN = {
    "modules/generation/watcher.py": "reads what the program saved",
    "modules/imaging/incoming.py": "the reader",
    "modules/imaging/saving.py": "reads what it has just written",
    "modules/jobs/workers/conversation.py": "reads what a worker encoded",
    "modules/proof/judging.py": "reads what it has just encoded",
    "modules/rest/easel/files.py": "reads what the program saved",
}


def file_of(image: Image.Image, kind: str = "PNG", **arguments) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **arguments)
    return file.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SMALL = file_of(Image.new("RGB", (8, 8), "red"))


def with_chunks(*more: bytes) -> bytes:
    return SMALL[:33] + b"".join(more) + SMALL[33:]


def plain_pnm(kind: str, side: int) -> bytes:
    return f"{kind}\n{side} {side}\n255\n".encode() + b"1 " * 9


def exif_of_many_entries(entries: int = 2000, length: int = 30_000) -> bytes:
    """Every entry names the same bytes."""
    table = b"".join(struct.pack(">HHII", 0x9000 + k, 7, length, 8) for k in range(entries))
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", entries) + table + b"\0" * length


def jpeg_of_scans(scans: int) -> bytes:
    data = file_of(Image.new("L", (64, 64)), "JPEG")
    start = data.index(b"\xff\xda")
    (length,) = struct.unpack_from(">H", data, start + 2)
    return data[:-2] + data[start : start + 2 + length] * scans + b"\xff\xd9"


def gif_of_comments(count: int) -> bytes:
    data = file_of(Image.new("P", (8, 8)), "GIF")
    start = data.index(b",")
    return data[:start] + b"!\xfe\x01x\0" * count + data[start:]


def icon_of(width: int, height: int) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(head), 22) + head


def bitmap_of_runs(side: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 2, 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + 2, 0, 0, 14 + len(head)) + head + b"\0\1"


COSTLY = {
    "a plain PPM": plain_pnm("P3", 3000),
    "a plain PGM": plain_pnm("P2", 3000),
    "a plain PBM": plain_pnm("P1", 3000),
    "a PPM of an odd range": b"P6\n3000 3000\n254\n" + bytes(99),
    "a PGM with a comment and an odd range": b"P5 # a\n3000 # b\n3000\n1000\n" + bytes(99),
    "a QOI": b"qoif" + struct.pack(">IIBB", 3000, 3000, 3, 0) + bytes(99),
    "a BMP of runs": bitmap_of_runs(3000),
    "a JPEG of scans": jpeg_of_scans(3000),
    "a GIF of comments": gif_of_comments(100_000),
    "a PNG of many parts": with_chunks(*[chunk(b"tEXt", b"a\0b")] * 60_000),
    "a PNG of two profiles": with_chunks(*[chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x"))] * 2),
    "a profile that unpacks to 60 MB": with_chunks(
        chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(60 << 20), 9))
    ),
    "a large picture in an icon": icon_of(9000, 9000),
    "a TIFF that names its bytes many times": exif_of_many_entries(),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_file_that_would_cost_much_is_refused_at_once(name):
    before = time.process_time()
    with pytest.raises(InvalidRequest, match="The file") as refused:
        open_picture("The file", COSTLY[name])
    assert time.process_time() - before < 1
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "data",
    [
        b"P3\n2 1\n255\n255 0 0 0 255 0",
        b"P5\n2 1\n255\nab",
        b"P5\n2 1\n65535\naabb",
        jpeg_of_scans(0),
        file_of(Image.new("RGB", (64, 64)), "JPEG", progressive=True),
        gif_of_comments(5),
        file_of(Image.new("RGBA", (16, 16)), "ICO"),
        file_of(Image.new("RGB", (16, 16)), "TIFF", compression="tiff_lzw"),
        file_of(Image.new("RGB", (16, 16)), "WEBP"),
        file_of(Image.new("RGB", (16, 16)), "AVIF"),
        file_of(Image.new("RGB", (16, 16)), "BMP"),
        file_of(Image.new("RGB", (16, 16)), "TGA"),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_ordinary_pictures_of_every_kind_are_read(data):
    picture = load_picture("picture", text(data))
    assert picture.convert("RGB").getpixel((0, 0))


def test_camera_data_that_name_their_bytes_many_times_are_left_out():
    """Two thousand entries of 30 KB each would be read as 60 MB."""
    picture = open_picture("picture", with_chunks(chunk(b"eXIf", exif_of_many_entries())))
    assert "exif" not in picture.info
    assert dict(picture.getexif()) == {}


def test_the_pictures_of_a_call_are_added_up_before_one_is_decoded(monkeypatch):
    large = text(file_of(Image.new("1", (9900, 9900))))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    with (
        pytest.raises(InvalidRequest, match="294 megapixels together, and at most 200"),
        decoded([("init_images", large)] * 3),
    ):
        pass


def test_who_wants_more_pixels_than_are_left_waits_and_is_sent_away_when_it_takes_too_long():
    budget, entered, leave = PixelBudget(100), threading.Event(), threading.Event()

    def hold() -> None:
        with budget.part(80, None):
            entered.set()
            leave.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(30)
    with budget.part(20, 0):
        assert budget.left == 0
    with pytest.raises(TooBusy) as refused, budget.part(21, 0.01):
        pass
    assert refused.value.retry_after > 0
    leave.set()
    with budget.part(1000, 30):
        assert budget.left == 0
    holder.join(30)
    assert budget.left == 100


def test_a_damaged_picture_gives_its_part_of_the_budget_back():
    broken = text(file_of(Image.effect_noise((64, 64), 90))[:2000])
    with pytest.raises(InvalidRequest, match="damaged"):
        load_picture("picture", broken)
    assert DECODING.left == MOST_PIXELS_OF_CALL


def test_a_file_that_is_too_long_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(InvalidRequest, match=r"sparse\.png has 300 MB"):
        read_picture_file(path)
    with path.open("r+b") as file:
        file.truncate(LARGEST_FILE - 1)
    with pytest.raises(InvalidRequest, match="not a picture"):
        read_picture_file(path)


def test_texts_are_read_without_a_pixel_wherever_they_stand(monkeypatch):
    data = encode_picture(Image.new("RGB", (64, 64)), "a cat\nSteps: 1, Seed: 2", SaveFormat()).data
    at = data.index(b"tEXt") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    late = data[:at] + data[at + length : -12] + data[at : at + length] + data[-12:]
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    for each in (data, late):
        assert read_texts(open_picture("picture", each)).infotext == "a cat\nSteps: 1, Seed: 2"


def test_no_other_place_opens_pictures_that_the_program_did_not_write():
    found = {
        path.relative_to(MODULES.parent).as_posix()
        for path in MODULES.rglob("*.py")
        if re.search(r"\b(?:Image|PIL)\.open\(|\bimread\(|imdecode\(|PngImageFile\(", path.read_text("utf-8"))
    }
    assert found == set(THEIR_OWN)


# Texts in all the places and encodings in which other programs leave them.

TEXT = "a café\nNegative prompt: bad\nSteps: 3, Sampler: Euler a, Seed: 9"
UTF_8 = TEXT.encode()


def exif_with(comment: bytes | None = None, first: bytes | None = None, **tags: str) -> bytes:
    exif = Image.Exif()
    if comment is not None:
        exif[0x8769] = {0x9286: comment}
    if first is not None:
        exif[0x9286] = first
    for name, value in tags.items():
        exif[{"make": 0x010F, "description": 0x010E}[name]] = value
    return exif.tobytes()


def png_with(exif: bytes = b"", **texts: str) -> bytes:
    chunks = PngChunks()
    for key, value in texts.items():
        chunks.add_text(key, value)
    return file_of(Image.new("RGB", (8, 8)), pnginfo=chunks, **({"exif": exif} if exif else {}))


def xmp_with(value: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/"><exif:UserComment><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{value}</rdf:li></rdf:Alt></exif:UserComment></rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def saved(kind: str, **arguments) -> bytes:
    return file_of(Image.new("RGB", (8, 8)), kind, **arguments)


HEADS = {"ASCII": b"ASCII\0\0\0", "JIS": b"JIS\0\0\0\0\0", "UNICODE": b"UNICODE\0", "no": b"\0" * 8}
PLACES = {
    "PNG, tEXt in UTF-8": with_chunks(chunk(b"tEXt", b"parameters\0" + UTF_8)),
    "PNG, zTXt in UTF-8": with_chunks(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(UTF_8))),
    "PNG, iTXt": with_chunks(chunk(b"iTXt", b"parameters\0\0\0\0\0" + UTF_8)),
    "PNG, compressed iTXt": with_chunks(chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(UTF_8))),
    "PNG, another key": png_with(Comment=TEXT),
    "PNG, in EXIF": png_with(exif_with(b"UNICODE\0" + TEXT.encode("utf-16-be"))),
    "PNG, beside a foreign comment": png_with(exif_with(b"ASCII\0\0\0Screenshot"), parameters=TEXT),
    "PNG, in XMP": with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_with(TEXT))),
    "JPEG, UTF-16 of the other order": saved("JPEG", exif=exif_with(b"UNICODE\0" + TEXT.encode("utf-16-le"))),
    "JPEG, in the first directory": saved("JPEG", exif=exif_with(first=b"ASCII\0\0\0" + UTF_8, make="Cam")),
    "JPEG, description": saved("JPEG", exif=exif_with(description=TEXT.replace("é", "e"))),
    "JPEG, comment": saved("JPEG", comment=UTF_8),
    "JPEG, comment beside a camera's data": saved("JPEG", comment=UTF_8, exif=exif_with(make="Camera")),
    "JPEG, comment beside a foreign comment": saved(
        "JPEG", comment=UTF_8, exif=exif_with(b"ASCII\0\0\0Screenshot")
    ),
    "JPEG, in XMP": saved("JPEG", xmp=xmp_with(TEXT)),
    "WebP, in XMP": saved("WEBP", xmp=xmp_with(TEXT)),
    "AVIF, in XMP": saved("AVIF", xmp=xmp_with(TEXT)),
    "WebP": saved("WEBP", exif=exif_with(b"ASCII\0\0\0" + UTF_8)),
    "AVIF": saved("AVIF", exif=exif_with(b"ASCII\0\0\0" + UTF_8)),
    "TIFF": saved("TIFF", exif=exif_with(b"ASCII\0\0\0" + UTF_8)),
    "GIF": saved("GIF", comment=UTF_8),
    **{
        f"JPEG, UTF-8 after {name}": saved("JPEG", exif=exif_with(head + UTF_8))
        for name, head in HEADS.items()
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_a_generation_text_is_found_in_every_place_and_encoding(place):
    found = read_texts(open_picture("picture", PLACES[place])).infotext
    assert found == (TEXT.replace("é", "e") if "description" in place else TEXT)


def test_where_none_is_a_generation_text_the_usual_place_counts():
    assert (
        read_texts(open_picture("picture", png_with(parameters="a cat", Title="Screenshot"))).infotext
        == "a cat"
    )
    assert read_texts(open_picture("picture", png_with(Title="Screenshot"))).infotext == ""


def test_a_text_of_latin_letters_that_looks_like_utf_8_is_kept_as_it_is():
    data = encode_picture(Image.new("RGB", (8, 8)), "Ã©\nSteps: 1, Seed: 2", SaveFormat()).data
    assert read_texts(open_picture("picture", data)).infotext == "Ã©\nSteps: 1, Seed: 2"


def test_grey_of_more_than_eight_bits_and_of_floating_point_keeps_its_levels():
    levels = np.array([[0, 32_768, 65_535]], np.uint16)
    for image, expected in [
        (Image.fromarray(levels), [0, 128, 255]),
        (Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), [0, 127, 255]),
        (Image.fromarray(np.array([[0, 127, 255]], np.float32)), [0, 127, 255]),
    ]:
        assert list(np.asarray(upright(image))[0]) == expected
