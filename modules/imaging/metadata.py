"""The texts in a picture file: where each format keeps them, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from modules.imaging.exif import BROKEN_EXIF, exif_to_comment
from modules.imaging.novelai import infotext_of_novelai
from modules.imaging.xmp import xmp_to_record
from modules.infotext import Parameters, fill_defaults, read_infotext

__all__ = ["PictureTexts", "PngInfo", "png_info", "read_texts"]

PARAMETERS = "parameters"
RECORD = "easel"
XMP = "xmp"
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

    The EXIF comment wins over PNG's `parameters`; a GIF's comment stands for it; NovelAI's fields are
    translated.
    """
    _read_late_chunks(image)
    items = {str(key): _plain(value) for key, value in image.info.items() if key not in TECHNICAL_KEYS}
    infotext = str(items.pop(PARAMETERS, ""))
    record = _take_record(image, items)
    if "exif" in image.info:
        comment = exif_to_comment(image)
        if comment:
            items[EXIF_COMMENT] = infotext = comment
    elif "comment" in items:
        infotext = str(items["comment"])
    return PictureTexts(infotext_of_novelai(items, *image.size) or infotext, items, record)


def _take_record(image: Image.Image, items: dict[str, Any]) -> str | None:
    """The record; it is taken out of `items`, which are for the field's clients and for people to read."""
    if RECORD in items:
        return str(items.pop(RECORD))
    packet = image.info.get(XMP)
    record = xmp_to_record(packet) if isinstance(packet, bytes) else None
    if record is not None:
        del items[XMP]
    return record


def _read_late_chunks(image: Image.Image) -> None:
    """PNG texts may stand behind the pixels, where opening the file does not reach them."""
    if image.format == "PNG" and PARAMETERS not in image.info:
        try:
            image.load()
        except BROKEN_EXIF:
            return


def _plain(value: Any) -> Any:
    """The value as JSON has it; bytes are taken for text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="ignore")
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value)
