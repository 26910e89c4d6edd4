"""Text of files that other programs wrote: its encoding is found out, and no byte of it is dropped."""

import codecs
import locale
import re
from dataclasses import dataclass

__all__ = ["ForeignText", "decode_foreign", "without_escapes"]

# The longer marks first: that of UTF-32 begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
UTF_8 = "utf-8"
WESTERN = "cp1252"
LOOKED_AT = 4096
"""Bytes at the start that tell UTF-16 without a mark."""

ESCAPED = re.compile("[\udc80-\udcff]+")


@dataclass(frozen=True, slots=True)
class ForeignText:
    """A text, the encoding that it was read in, and whether some bytes are no text in it (`has_bad_bytes`).

    Bad bytes stand in the text as Python's "surrogateescape" has them: `encoded()` gives them back, and
    `without_escapes` reads them as the machine's older encoding.
    """

    text: str
    encoding: str
    has_mark: bool

    @property
    def has_bad_bytes(self) -> bool:
        """Whether something in it could not be read."""
        return ESCAPED.search(self.text) is not None


def decode_foreign(data: bytes) -> ForeignText:
    """The text of `data`: by its byte order mark, else UTF-16 where every second byte is NUL, else UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return ForeignText(_decoded(data[len(mark) :], encoding), encoding, has_mark=True)
    encoding = _unmarked(data)
    return ForeignText(_decoded(data, encoding), encoding, has_mark=False)


def without_escapes(text: str) -> str:
    """`text` with its bad bytes read as the machine's older encoding, by default Windows-1252."""
    return ESCAPED.sub(_in_older_encoding, text) if ESCAPED.search(text) else text


def _decoded(data: bytes, encoding: str) -> str:
    # Only UTF-8 can give its bad bytes back; the others are used where a file says so itself.
    return data.decode(encoding, "surrogateescape" if encoding == UTF_8 else "replace")


def _unmarked(data: bytes) -> str:
    start = data[: LOOKED_AT & ~1]
    for encoding, high in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if len(start) > 2 and high.count(0) > 0.9 * len(high) and start.count(0) <= len(high):
            return encoding
    return UTF_8


def _in_older_encoding(match: re.Match[str]) -> str:
    data = match[0].encode(UTF_8, "surrogateescape")
    older = locale.getencoding()
    for encoding in (older, WESTERN):
        try:
            if encoding.lower().replace("-", "") != "utf8":
                return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode(WESTERN, "replace")
