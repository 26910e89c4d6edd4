"""Picture files in memory: PNG, JPEG, WebP, AVIF and GIF with the generation text inside."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PIL import Image, features
from PIL.PngImagePlugin import PngInfo as PngChunks

from modules.errors import EaselError, InvalidRequest
from modules.imaging.exif import comment_to_exif

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["Encoded", "PictureFormat", "SaveFormat", "encode_picture"]

PARAMETERS = "parameters"
# A JPEG segment holds 65533 bytes, and Pillow adds some of its own.
LARGEST_JPEG_EXIF = 65_000
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

    @classmethod
    def from_options(cls, options: Options, grid: bool = False) -> SaveFormat:
        """From `samples_format` or `grid_format`, `jpeg_quality`, `webp_lossless` and `enable_pnginfo`."""
        setting = "grid_format" if grid else "samples_format"
        return cls(
            PictureFormat.named(setting, getattr(options, setting)),
            int(options.jpeg_quality),
            bool(options.webp_lossless),
            bool(options.enable_pnginfo),
        )


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a picture file. `text_left_out`: the text was too long for the format."""

    data: bytes
    format: PictureFormat
    text_left_out: bool = False


def encode_picture(image: Image.Image, infotext: str, save_format: SaveFormat) -> Encoded:
    """The picture as a file with the text inside: PNG text `parameters`, EXIF user comment, GIF comment.

    A picture too large for the format becomes a PNG. Raises `EaselError` when Pillow cannot write it.
    """
    format_ = save_format.format
    if format_.longest_side is not None and max(image.size) > format_.longest_side:
        format_ = PictureFormat.PNG
    text = _without_lone_surrogates(infotext) if save_format.with_infotext else ""
    arguments, text_left_out = _arguments(format_, text, save_format)
    file = io.BytesIO()
    try:
        _prepared(image, format_).save(file, **arguments)
    except (OSError, ValueError, TypeError, MemoryError) as error:
        raise EaselError(
            f"The picture of {image.width}x{image.height} pixels cannot be written as {format_}: {error}. "
            "Choose another format in the settings, under Saving images."
        ) from error
    return Encoded(file.getvalue(), format_, text_left_out)


def _arguments(format_: PictureFormat, text: str, save_format: SaveFormat) -> tuple[dict[str, Any], bool]:
    """What Pillow's `save` is told, and whether the text had to be left out."""
    if format_ is PictureFormat.PNG:
        chunks = PngChunks()
        if text:
            chunks.add_text(PARAMETERS, text)
        return {"format": "PNG", "pnginfo": chunks}, False
    if format_ is PictureFormat.GIF:
        return {"format": "GIF", "comment": text.encode()}, False
    exif = comment_to_exif(text) if text else b""
    too_long = format_ is PictureFormat.JPEG and len(exif) > LARGEST_JPEG_EXIF
    written: dict[str, Any] = {"exif": exif} if exif and not too_long else {}
    if format_ is PictureFormat.WEBP:
        written["lossless"] = save_format.webp_lossless
    name = "JPEG" if format_ is PictureFormat.JPEG else format_.upper()
    return {"format": name, "quality": save_format.quality, **written}, too_long


def _prepared(image: Image.Image, format_: PictureFormat) -> Image.Image:
    """In a colour mode that the format knows; JPEG has no transparency."""
    if image.mode in MODES[format_]:
        return image
    keeps_alpha = "RGBA" in MODES[format_] and image.has_transparency_data
    return image.convert("RGBA" if keeps_alpha else "RGB")


def _without_lone_surrogates(text: str) -> str:
    """JSON can carry halves of a character, which no file can."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
