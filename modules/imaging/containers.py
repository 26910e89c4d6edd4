"""Checks of picture files before Pillow reads them: what each format says of its size, and what would take
long or much memory. Nothing is decoded here.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from modules.imaging.tiff_tables import check_tables

__all__ = ["PNG_SIGNATURE", "check_container", "png_chunks"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ICON_SIGNATURE = b"\0\0\1\0"
MOST_CHUNKS = 50_000
"""Of a PNG; ordinary writers make one of every 8 to 64 KB."""
MOST_HEADER_BYTES = 16 << 20
"""Of a JPEG before its first scan: camera data, colour profile, previews."""
MOST_SEGMENTS = 2_000
MOST_SCANS = 64
SCANS_OF_ONE_COST = 16
"""A progressive JPEG has about ten scans, and each goes over all pixels."""
MOST_COMMENT_BLOCKS = 8_000
"""Of a GIF before its first frame, 255 bytes each. Pillow copies all of them again for every one."""
MOST_ICONS, LARGEST_ICON = 64, 1 << 20
"""Pictures in an ICO, and the pixels of each: Pillow decodes one as soon as the file is opened."""
SLOW = 100
"""Times as long as others take, or longer: kinds that Pillow decodes pixel by pixel in Python."""
RUN_LENGTHS = (1, 2)
"""Compressions of a BMP."""
MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
TIFF_HEADER = re.compile(rb"II\*\0|MM\0\*")


def check_container(file: BinaryIO, length: int) -> int:
    """How many times as long as usual a pixel of the picture in `file` (`length` bytes) takes, 1 or more.

    Raises ValueError, its text the end of a sentence that begins with the file's name, for one that would
    cost far more than a picture is worth. What is no picture passes: whoever opens it will say so.
    """
    file.seek(0)
    start = file.read(32)
    try:
        if start.startswith(PNG_SIGNATURE):
            _check_png(file)
        elif start.startswith(b"\xff\xd8"):
            return _check_jpeg(file)
        elif start.startswith((b"GIF87a", b"GIF89a")):
            _check_gif(file)
        elif start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            check_tables(file, 0, length)
        elif start.startswith(ICON_SIGNATURE):
            _check_icon(file)
        elif start[4:12] in (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1"):
            _check_embedded_tables(file)
        elif _is_slow(file, start):
            return SLOW
    except struct.error:
        return 1  # cut short
    return 1


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and length of the contents of each chunk in a PNG, as far as it is whole."""
    place = len(PNG_SIGNATURE)
    for _ in range(MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind, place + 8, length
        if kind == b"IEND" or not kind.isalpha():
            return
        place += length + 12
    raise ValueError(f"is a PNG of more than {MOST_CHUNKS} parts; write it anew with another program")


def _check_png(file: BinaryIO) -> None:
    profiles = sum(kind == b"iCCP" for kind, _, _ in png_chunks(file))
    if profiles > 1:
        raise ValueError(f"is a PNG with {profiles} colour profiles; write it anew with another program")


def _check_jpeg(file: BinaryIO) -> int:
    """The cost of its scans."""
    file.seek(0)
    data = file.read()
    place, segments, camera = 2, 0, b""
    while (found := MARKER.search(data, place)) and found[1][0] not in (START_OF_SCAN, END_OF_IMAGE):
        place = found.end()
        if found[1][0] in WITHOUT_LENGTH:
            continue
        (size,) = struct.unpack_from(">H", data, place)
        contents = data[place + 2 : place + size]
        if contents.startswith(b"Exif\0\0"):
            camera = camera + contents[6:] if camera else contents[6:]
        elif contents.startswith(b"MPF\0"):
            check_tables(io.BytesIO(contents[4:]), 0, len(contents) - 4)
        place, segments = place + max(size, 2), segments + 1
        if segments > MOST_SEGMENTS or place > MOST_HEADER_BYTES:
            raise ValueError(f"is a JPEG with more than {MOST_HEADER_BYTES >> 20} MB before its pixels")
    if camera:
        check_tables(io.BytesIO(camera), 0, len(camera))
    scans = _scans(data, place)
    if scans > MOST_SCANS:
        raise ValueError(f"is a JPEG of more than {MOST_SCANS} scans; write it anew with another program")
    return max(1, scans // SCANS_OF_ONE_COST)


def _scans(data: bytes, place: int) -> int:
    """Scans from `place` on, counted to one past the bound."""
    scans = 0
    for found in MARKER.finditer(data, place):
        kind = found[1][0]
        scans += kind == START_OF_SCAN
        if kind == END_OF_IMAGE or scans > MOST_SCANS:
            break
    return scans


def _check_gif(file: BinaryIO) -> None:
    """Go over what stands before the first frame."""
    file.seek(0)
    flags = struct.unpack("<10xB2x", file.read(13))[0]
    file.seek(13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
    blocks = 0
    while file.read(1) == b"!":
        file.read(1)
        while size := struct.unpack("B", file.read(1))[0]:
            file.seek(size, io.SEEK_CUR)
            blocks += 1
            if blocks > MOST_COMMENT_BLOCKS:
                raise ValueError(f"is a GIF with more than {MOST_COMMENT_BLOCKS * 255 >> 10} KB of comments")
        blocks += 1


def _check_icon(file: BinaryIO) -> None:
    file.seek(4)
    (count,) = struct.unpack("<H", file.read(2))
    if count > MOST_ICONS:
        raise ValueError(f"is an icon of {count} pictures; at most {MOST_ICONS} are read")
    places = [struct.unpack("<12xI", file.read(16))[0] for _ in range(count)]
    for place in places:
        file.seek(place)
        head = file.read(24)
        if head.startswith(PNG_SIGNATURE):
            width, height = struct.unpack(">16xII", head)
        else:
            width, height = (abs(side) for side in struct.unpack("<4xii12x", head))
        if width * height > LARGEST_ICON:
            raise ValueError(f"is an icon of {width}x{height}; send a PNG")


def _check_embedded_tables(file: BinaryIO) -> None:
    """Camera data anywhere in a file whose own structure is not followed here."""
    file.seek(0)
    data = file.read()
    for found in TIFF_HEADER.finditer(data):
        check_tables(io.BytesIO(data), found.start(), len(data) - found.start())


def _is_slow(file: BinaryIO, start: bytes) -> bool:
    if start.startswith(b"qoif"):
        return True
    if start.startswith(b"BM"):
        file.seek(30)
        return struct.unpack("<I", file.read(4))[0] in RUN_LENGTHS
    if re.match(rb"P[0-7fy]", start) is None:
        return False
    if start.startswith((b"P4", b"Pf")):
        return False
    return start[:2] in (b"P1", b"P2", b"P3") or not _has_whole_bytes(file)


def _has_whole_bytes(file: BinaryIO) -> bool:
    """Whether the samples of a binary PNM are bytes, or for grey pairs of them, in full range."""
    file.seek(0)
    words = re.sub(rb"#[^\r\n]*", b" ", file.read(4096)).split(maxsplit=4)
    return len(words) > 3 and (words[3] == b"255" or (words[0] == b"P5" and words[3] == b"65535"))
