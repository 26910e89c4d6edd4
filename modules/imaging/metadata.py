"""The texts in a picture file: where each format keeps them, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import iTXt

from modules.imaging.exif import EXIF_KEYS, exif_texts, text_of_bytes
from modules.imaging.incoming import info_of
from modules.imaging.novelai import infotext_of_novelai
from modules.imaging.xmp import xmp_texts, xmp_to_record
from modules.infotext import Parameters, fill_defaults, read_infotext

__all__ = ["PictureTexts", "PngInfo", "png_info", "read_texts"]

PARAMETERS = "parameters"
RECORD = "easel"
XMP = "xmp"
XMP_KEYS = (XMP, "XML:com.adobe.xmp")
EXIF_COMMENT = "exif comment"
TECHNICAL_KEYS = frozenset(
    {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression", "photoshop"}
    | {"dpi", "exif", "icc_profile", "chromaticity", "loop", "background", "timestamp", "duration"}
)


@dataclass(frozen=True, slots=True)
class PictureTexts:
    """The generation text of a picture ("" if there is none), the other texts in it by name, and the record
    that Easel writes: JSON text as it was found, None where there is none.
    """

    infotext: str
    items: dict[str, Any]
    record: str | None = None


@dataclass(frozen=True, slots=True)
class PngInfo:
    """What the field's PNG Info answers; the names are those of `/sdapi/v1/png-info`. Plain JSON values."""

    info: str
    items: dict[str, Any]
    parameters: Parameters


def png_info(image: Image.Image) -> PngInfo:
    """All that can be read from an opened picture."""
    texts = read_texts(image)
    return PngInfo(texts.infotext, texts.items, fill_defaults(read_infotext(texts.infotext)))


def read_texts(image: Image.Image) -> PictureTexts:
    """The texts in an opened picture. Never raises for damaged metadata: what cannot be read is not there.

    Every place is looked at: EXIF comment, PNG's `parameters`, a GIF's or JPEG's comment, the other texts,
    EXIF description, XMP. Of several the first that is a generation text counts; where none is, the EXIF
    comment, then `parameters`, then the comment. NovelAI's fields are translated. Texts behind the pixels of
    a PNG count too; no pixel is decoded.
    """
    info = info_of(image)
    items = {str(key): _plain(value) for key, value in info.items() if key not in TECHNICAL_KEYS}
    parameters = str(items.pop(PARAMETERS, ""))
    packet = info.get(XMP)
    packet = packet.encode() if isinstance(packet, str) else packet
    record = _take_record(items, packet)
    from_exif, description = exif_texts(image) if _may_have_exif(image) else ([], "")
    if from_exif:
        items[EXIF_COMMENT] = from_exif[0]
    if isinstance(raw := info.get("comment"), bytes):
        items["comment"] = text_of_bytes(raw)
    comment = str(items.get("comment", ""))
    others = [value for key, value in items.items() if isinstance(value, str) and key not in XMP_KEYS]
    from_xmp = xmp_texts(packet) if isinstance(packet, bytes) else []
    found = [*from_exif, parameters, comment, *others, description, *from_xmp]
    first = next(filter(None, [*from_exif, parameters, comment]), "")
    infotext = next(filter(_is_generation_text, found), first)
    return PictureTexts(infotext_of_novelai(items, *image.size) or infotext, items, record)


def _is_generation_text(text: str) -> bool:
    return "Steps:" in text and bool(read_infotext(text).fields)


def _may_have_exif(image: Image.Image) -> bool:
    return image.format == "TIFF" or any(key in image.info for key in EXIF_KEYS)


def _take_record(items: dict[str, Any], packet: object) -> str | None:
    """The record; it is taken out of `items`, which are for the field's clients and for people to read."""
    if RECORD in items:
        return str(items.pop(RECORD))
    record = xmp_to_record(packet) if isinstance(packet, bytes) else None
    if record is not None:
        del items[XMP]
    return record


def _in_utf_8(text: str) -> str:
    """`text`, or where it is UTF-8 that was read as Latin-1, as a PNG's plain texts are, the text meant."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _plain(value: Any) -> Any:
    """The value as JSON has it; bytes are taken for text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="ignore")
    if isinstance(value, iTXt):
        return str(value)
    if isinstance(value, str):
        return _in_utf_8(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value)
