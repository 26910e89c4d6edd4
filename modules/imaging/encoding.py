"""Picture files in memory: PNG, JPEG, WebP, AVIF and GIF with the generation text and the record inside."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PIL import Image, features
from PIL.PngImagePlugin import PngInfo as PngChunks

from modules.errors import EaselError, InvalidRequest
from modules.imaging.exif import comment_to_exif
from modules.imaging.xmp import record_to_xmp

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["Encoded", "PictureFormat", "SaveFormat", "encode_picture"]

PARAMETERS = "parameters"
POSTPROCESSING = "postprocessing"
RECORD = "easel"
# A JPEG segment holds 65533 bytes, and Pillow adds some of its own.
LARGEST_JPEG_SEGMENT = 65_000
# Pillow refuses to open a PNG with a compressed text of more than a mebibyte.
LARGEST_PNG_RECORD = 1_000_000
NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
COLOURS = frozenset({"RGB", "RGBA"})


class PictureFormat(StrEnum):
    """Formats that pictures are saved in, by the extension of their files."""

    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    AVIF = "avif"
    GIF = "gif"

    @classmethod
    def named(cls, setting: str, name: str) -> PictureFormat:
        """The format of an extension; raises `InvalidRequest` for the setting if it cannot be written."""
        wanted = name.strip().lower().lstrip(".").replace("jpeg", "jpg")
        known = [member for member in cls if member is not cls.AVIF or features.check("avif")]
        for member in known:
            if member == wanted:
                return member
        raise InvalidRequest(
            setting,
            f"{setting} cannot be {name!r}: pictures are saved as {', '.join(known)}. Choose one of these.",
        )

    @property
    def longest_side(self) -> int | None:
        """Pixels that the format allows along a side, where it has a bound."""
        return {PictureFormat.JPEG: 65_535, PictureFormat.WEBP: 16_383, PictureFormat.AVIF: 65_536}.get(self)


MODES = {
    PictureFormat.PNG: COLOURS | {"1", "L", "LA", "P", "I;16"},
    PictureFormat.JPEG: frozenset({"RGB", "L"}),
    PictureFormat.WEBP: COLOURS,
    PictureFormat.AVIF: COLOURS,
    PictureFormat.GIF: COLOURS | {"1", "L", "P"},
}


@dataclass(frozen=True, slots=True)
class SaveFormat:
    """How a picture becomes a file. quality: 1 .. 100 for JPEG, lossy WebP and AVIF."""

    format: PictureFormat = PictureFormat.PNG
    quality: int = 80
    webp_lossless: bool = False
    with_infotext: bool = True
    with_record: bool = True

    @property
    def is_lossless(self) -> bool:
        """Whether a picture is read back bit by bit."""
        return self.format is PictureFormat.PNG or (self.format is PictureFormat.WEBP and self.webp_lossless)

    @classmethod
    def from_options(cls, options: Options, grid: bool = False) -> SaveFormat:
        """From `samples_format` or `grid_format`, `jpeg_quality`, `webp_lossless`, `enable_pnginfo` and
        `enable_picture_record`.
        """
        setting = "grid_format" if grid else "samples_format"
        return cls(
            PictureFormat.named(setting, getattr(options, setting)),
            int(options.jpeg_quality),
            bool(options.webp_lossless),
            bool(options.enable_pnginfo),
            bool(options.enable_picture_record),
        )


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a picture file. `text_left_out`, `record_left_out`: it was too long for the format."""

    data: bytes
    format: PictureFormat
    text_left_out: bool = False
    record_left_out: bool = False


def encode_picture(
    image: Image.Image,
    infotext: str,
    save_format: SaveFormat,
    record: str | None = None,
    postprocessing: str = "",
) -> Encoded:
    """The picture as a file with the texts inside.

    `infotext` goes where the field keeps it: PNG text `parameters`, EXIF user comment, GIF comment; `record`,
    JSON text, beside it: PNG text `easel`, XMP packet; a GIF has no place for it. `postprocessing`, what was
    done to the finished picture, has a place only in a PNG: the text of that name. A picture too large for
    the format becomes a PNG. Raises `EaselError` when Pillow cannot write it.
    """
    format_ = save_format.format
    if format_.longest_side is not None and max(image.size) > format_.longest_side:
        format_ = PictureFormat.PNG
    text = _without_lone_surrogates(infotext) if save_format.with_infotext else ""
    texts = _Texts.that_fit(format_, text, _xml_safe(record or "") if save_format.with_record else "")
    if save_format.with_infotext:
        texts = replace(texts, postprocessing=_without_lone_surrogates(postprocessing))
    file = io.BytesIO()
    try:
        _prepared(image, format_).save(file, **_arguments(format_, texts, save_format))
    except (OSError, ValueError, TypeError, MemoryError) as error:
        raise EaselError(
            f"The picture of {image.width}x{image.height} pixels cannot be written as {format_}: {error}. "
            "Choose another format in the settings, under Saving images."
        ) from error
    return Encoded(file.getvalue(), format_, texts.text_left_out, texts.record_left_out)


@dataclass(frozen=True, slots=True)
class _Texts:
    """What goes into a file beside the pixels; empty: nothing."""

    text: str
    exif: bytes = b""
    record: str = ""
    xmp: bytes = b""
    postprocessing: str = ""
    text_left_out: bool = False
    record_left_out: bool = False

    @classmethod
    def that_fit(cls, format_: PictureFormat, text: str, record: str) -> _Texts:
        """`text` and `record`, each if the format has room for it."""
        if format_ is PictureFormat.GIF:
            return cls(text, record_left_out=bool(record))
        if format_ is PictureFormat.PNG:
            fits = len(record.encode()) <= LARGEST_PNG_RECORD
            return cls(text, record=record if fits else "", record_left_out=not fits)
        exif = comment_to_exif(text) if text else b""
        xmp = record_to_xmp(record) if record else b""
        most = LARGEST_JPEG_SEGMENT if format_ is PictureFormat.JPEG else None
        exif_fits, xmp_fits = (most is None or len(block) <= most for block in (exif, xmp))
        return cls(
            text,
            exif=exif if exif_fits else b"",
            xmp=xmp if xmp_fits else b"",
            text_left_out=not exif_fits,
            record_left_out=not xmp_fits,
        )


def _arguments(format_: PictureFormat, texts: _Texts, save_format: SaveFormat) -> dict[str, Any]:
    """What Pillow's `save` is told."""
    if format_ is PictureFormat.PNG:
        chunks = PngChunks()
        if texts.text and _looks_like_utf_8(texts.text):
            chunks.add_itxt(PARAMETERS, texts.text)
        elif texts.text:
            chunks.add_text(PARAMETERS, texts.text)
        if texts.postprocessing:
            chunks.add_text(POSTPROCESSING, texts.postprocessing)
        if texts.record:
            chunks.add_itxt(RECORD, texts.record, zip=True)
        return {"format": "PNG", "pnginfo": chunks}
    if format_ is PictureFormat.GIF:
        return {"format": "GIF", "comment": texts.text.encode()}
    written: dict[str, Any] = {"exif": texts.exif} if texts.exif else {}
    if texts.xmp:
        written["xmp"] = texts.xmp
    if format_ is PictureFormat.WEBP:
        written["lossless"] = save_format.webp_lossless
    name = "JPEG" if format_ is PictureFormat.JPEG else format_.upper()
    return {"format": name, "quality": save_format.quality, **written}


def _prepared(image: Image.Image, format_: PictureFormat) -> Image.Image:
    """In a colour mode that the format knows; JPEG has no transparency."""
    if image.mode in MODES[format_]:
        return image
    keeps_alpha = "RGBA" in MODES[format_] and image.has_transparency_data
    return image.convert("RGBA" if keeps_alpha else "RGB")


def _without_lone_surrogates(text: str) -> str:
    """JSON can carry halves of a character, which no file can."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _looks_like_utf_8(text: str) -> bool:
    """Whether a plain text of PNG, which is Latin-1, would be taken for UTF-8, as others write it there."""
    try:
        return not text.isascii() and bool(text.encode("latin-1").decode("utf-8"))
    except (UnicodeEncodeError, UnicodeDecodeError):
        return False


def _xml_safe(record: str) -> str:
    """JSON text in which the few characters that XML or UTF-8 cannot hold are escaped, as JSON allows."""
    return NOT_IN_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", record)
