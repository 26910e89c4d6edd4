"""The tables of TIFF (revision 6.0, section 2), which EXIF has too: held against the file that they are in.

Pillow reads every value that a table names. Nothing keeps a thousand entries from naming the same megabytes,
so the lengths are added up first.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

__all__ = ["check_tables", "tables_are_sound"]

SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value, by its type, where it is not one; 16 to 18 are BigTIFF's."""
TABLES = frozenset({0x8769, 0x8825, 0xA005})
"""Entries that name another table: EXIF, GPS, interoperability."""
BIG = 43
MOST_TABLES = 8
WORTH_COUNTING = 64
"""Bytes: shorter values take no memory to speak of."""


def check_tables(file: BinaryIO, start: int, length: int) -> None:
    """Raise ValueError for tables at `start` whose values together are longer than the `length` bytes that
    they are in; what is cut short passes.
    """
    try:
        named = _named_bytes(file, start)
    except struct.error:
        return
    if named > max(length, 1024):
        raise ValueError(f"has tables (TIFF or EXIF) that name {named} bytes, and only {length} are there")


def tables_are_sound(file: BinaryIO, length: int) -> bool:
    """Whether `check_tables` has nothing to say against them."""
    try:
        check_tables(file, 0, length)
    except ValueError:
        return False
    return True


def _named_bytes(file: BinaryIO, start: int) -> int:
    """Bytes of all values of the first table and of those that it names."""
    file.seek(start)
    order = "<" if file.read(2) == b"II" else ">"
    (magic,) = struct.unpack(f"{order}H", file.read(2))
    is_big = magic == BIG
    if is_big:
        file.seek(start + 8)
    count_form, entry_form, place_form = ("Q", "HHQQ", "Q") if is_big else ("H", "HHII", "I")
    entry_size = struct.calcsize(f"{order}{entry_form}")
    (first,) = struct.unpack(f"{order}{place_form}", file.read(struct.calcsize(f"{order}{place_form}")))
    total, places, seen = 0, [first], set[int]()
    while places and len(seen) < MOST_TABLES:
        place = places.pop()
        if place in seen:
            continue
        seen.add(place)
        file.seek(start + place)
        (count,) = struct.unpack(f"{order}{count_form}", file.read(struct.calcsize(f"{order}{count_form}")))
        table = file.read(min(count, 1 << 16) * entry_size)
        whole = len(table) // entry_size * entry_size
        for tag, kind, values, value in struct.iter_unpack(f"{order}{entry_form}", table[:whole]):
            size = SIZES.get(kind, 1) * values
            total += size if size > WORTH_COUNTING else 0
            if tag in TABLES and kind in (4, 13):
                places.append(value)
    return total
