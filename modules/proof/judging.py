"""The picture that was drawn again beside the one in the file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from modules.generation import ModelFacts, PictureRecord, Role, pixel_facts
from modules.imaging import PictureFormat, SaveFormat, encode_picture, grid_rows, make_grid
from modules.proof.comparing import PixelDifference, compare
from modules.proof.differences import differences
from modules.proof.retrace import Proof
from modules.proof.verdict import Verdict, VerdictKind
from modules.settings import Options

__all__ = ["judge"]

# What rounding can do to a value of a picture, in steps of 255.
ROUNDING = 1
# What a lossy format makes of that, and of another version of its library.
LOSSY_ROUNDING = 32
LOSSY_ROUNDING_MEAN = 1.0

LOSSY_FORMATS = {
    "JPEG": PictureFormat.JPEG,
    "WEBP": PictureFormat.WEBP,
    "AVIF": PictureFormat.AVIF,
    "GIF": PictureFormat.GIF,
}


def judge(proof: Proof, drawn: Sequence[Image.Image], facts: ModelFacts) -> Verdict:
    """The verdict on a picture, `drawn` being the wanted ones of `proof` in their order, and `facts` about
    the model that drew them.
    """
    found, again = proof.evidence.image, _one_picture(proof, drawn)
    different = differences(proof.evidence, facts)
    if found.size != again.size:
        sentence = _sentence_of_sizes(found, again)
        return Verdict(VerdictKind.DIFFERS, sentence, different, None, proof.notes)
    comparison = _compared(proof, again)
    kind, sentence = _conclusion(comparison)
    if kind is not VerdictKind.SAME_BITS and different:
        sentence += f" What differs first: {different[0]}."
    return Verdict(kind, sentence, different, comparison.pixels, proof.notes)


def _one_picture(proof: Proof, drawn: Sequence[Image.Image]) -> Image.Image:
    record, settings = proof.evidence.record, proof.order.settings
    if record is None or record.role is not Role.GRID:
        return drawn[0]
    rows = grid_rows(
        len(drawn), proof.order.request.batch_size, settings["n_rows"], settings["grid_prevent_empty_spots"]
    )
    return make_grid(drawn, rows)


def _sentence_of_sizes(found: Image.Image, again: Image.Image) -> str:
    return (
        f"The file has {found.width}x{found.height} pixels, and what was drawn again {again.width}x"
        f"{again.height}: it was cut or enlarged, or it is the grid of a run that was stopped."
    )


@dataclass(frozen=True)
class _Comparison:
    """What is known once both pictures are there. None: there is no record that could tell."""

    pixels: PixelDifference
    lossy: str | None
    """The name of the file's format, where that does not keep every pixel."""
    file_is_as_drawn: bool | None
    same_bits_again: bool | None

    @property
    def is_close(self) -> bool:
        """Whether rounding, and the format's loss, explain how far the two are apart."""
        if self.lossy:
            return self.pixels.largest <= LOSSY_ROUNDING and self.pixels.mean <= LOSSY_ROUNDING_MEAN
        return self.pixels.largest <= ROUNDING

    @property
    def was_changed(self) -> bool:
        """Whether the file has other pixels than were drawn once."""
        if self.file_is_as_drawn is not False:
            return False
        return not self.lossy or (self.same_bits_again is True and not self.is_close)


def _compared(proof: Proof, again: Image.Image) -> _Comparison:
    found, record = proof.evidence.image, proof.evidence.record
    as_drawn = _is_as_drawn(found, record)
    lossy = None if as_drawn else _lossy_format(proof)
    return _Comparison(
        pixels=compare(found, _with_its_loss(proof, again) if lossy else again),
        lossy=lossy,
        file_is_as_drawn=as_drawn,
        same_bits_again=_is_as_drawn(again, record),
    )


def _is_as_drawn(image: Image.Image, record: PictureRecord | None) -> bool | None:
    return None if record is None else pixel_facts(image.convert(record.pixels.mode)) == record.pixels


def _lossy_format(proof: Proof) -> str | None:
    name = proof.evidence.format
    if name not in LOSSY_FORMATS or (name == "WEBP" and proof.order.settings["webp_lossless"]):
        return None
    return name


def _with_its_loss(proof: Proof, image: Image.Image) -> Image.Image:
    """`image` written in the file's format, as the settings in the record have it, and read again."""
    quality = SaveFormat.from_options(Options().overridden(proof.order.settings)).quality
    save_format = SaveFormat(LOSSY_FORMATS[proof.evidence.format or ""], quality)
    with Image.open(io.BytesIO(encode_picture(image, "", save_format).data)) as copy:
        copy.load()
        return copy


def _conclusion(comparison: _Comparison) -> tuple[VerdictKind, str]:
    pixels, lossy = comparison.pixels, comparison.lossy
    if comparison.was_changed:
        again = "it has the bits" if comparison.same_bits_again else "it has not the bits"
        return VerdictKind.DIFFERS, (
            f"The file's pixels were changed after it was drawn: {pixels}. Drawn again, {again} that its "
            "record names."
        )
    if lossy and comparison.same_bits_again:
        kept = "exactly what the format keeps of them" if pixels.largest == 0 else "within the format's loss"
        return VerdictKind.SAME_BITS, f"The same bits were drawn again; the {lossy} file is {kept}."
    if pixels.largest == 0 and not lossy:
        return VerdictKind.SAME_BITS, "The same bits: drawn again, every pixel is what it was."
    told = f", as far as {lossy} lets one tell" if lossy else ""
    if comparison.is_close:
        return VerdictKind.WITHIN_ROUNDING, f"The same within rounding{told}: {pixels}."
    return VerdictKind.DIFFERS, f"It comes out differently{told}: {pixels}."
