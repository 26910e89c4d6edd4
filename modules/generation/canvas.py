"""What image to image starts from and comes back to: pictures at the size of the run, masks, overlays.

BEHAVIOUR sections 9 and 10. Pictures and pixels only: no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image

from modules.errors import InvalidRequest
from modules.generation.img2img_request import Img2ImgRequest, MaskedContent, ResizeChoice
from modules.generation.run import Run
from modules.imaging import (
    Box,
    Enlarge,
    ResizeMode,
    blend_luma_chroma,
    box_of_mask,
    correct_colours,
    decode_picture,
    decoded,
    fill_masked,
    grow_to_aspect,
    invert_mask,
    lay_over,
    mask_of_picture,
    masks_nothing,
    overlay_of,
    resize_image,
    resize_mask,
    soften_mask,
    strengthened,
    upright,
    upright_size,
)
from modules.settings import Options
from modules.upscaling import UPSCALERS, upscale_picture

__all__ = [
    "NOTHING_MASKED",
    "Canvas",
    "StartPictures",
    "check_pictures",
    "first_picture",
    "first_size",
    "given_pixels",
    "make_canvas",
    "refuse_empty_mask",
]


@dataclass(frozen=True)
class Canvas:
    """The pictures that go into the encoder, and how a result is brought back to the whole picture.

    One picture for all of the batch, or one each. `mask` has the run's size; `box` is the part of the picture
    that is drawn, where that is not all of it. `originals`: the pictures before anything was put below the
    mask; `wholes`: the same at the size of what is made; `apart`: the shares of luma and chroma that may
    change from them; `enlarge` does the enlarging of pictures.
    """

    pictures: tuple[Image.Image, ...]
    mask: Image.Image | None = None
    latent_mask: Image.Image | None = None
    overlays: tuple[Image.Image, ...] = ()
    box: Box | None = None
    corrects_colours: bool = False
    apart: tuple[float, float] | None = None
    originals: tuple[Image.Image, ...] = ()
    wholes: tuple[Image.Image, ...] = ()
    enlarge: Enlarge | None = None
    draws_nothing: bool = False
    """The mask masks nothing: every picture comes back as it was given."""

    def picture_for(self, position: int) -> Image.Image:
        """The picture that number `position` of a batch starts from."""
        return self.pictures[position % len(self.pictures)]

    def original_for(self, position: int) -> Image.Image:
        """The same, without what was put below the mask."""
        return self.originals[position % len(self.originals)]

    def finished(self, result: Image.Image, position: int) -> Image.Image:
        """`result` with the colours of its start, by setting, the unmasked part as it was, luma and chroma as
        near to those of the start as asked for.
        """
        if self.corrects_colours:
            result = correct_colours(result, self.picture_for(position))
        if self.overlays:
            overlay = self.overlays[position % len(self.overlays)]
            result = lay_over(result, overlay, self.box, self.enlarge)
        if not self.apart:
            return result
        start = resize_image(ResizeMode.STRETCH, self.wholes[position % len(self.wholes)], *result.size)
        return blend_luma_chroma(result, start, *self.apart)


@dataclass(frozen=True)
class StartPictures:
    """What a pass starts from: a picture, or one for each of the batch, and masks (white is drawn anew)."""

    pictures: tuple[Image.Image, ...]
    mask: Image.Image | None = None
    latent_mask: Image.Image | None = None


@dataclass(frozen=True)
class _Masking:
    """A mask at the run's size, the one of the overlay at the picture's, and the part that is drawn."""

    mask: Image.Image
    for_overlay: Image.Image
    box: Box | None
    is_empty: bool = False


NOTHING_MASKED = (
    "The mask masks nothing, so the picture comes back unchanged: mark the part that is to be drawn anew "
    "in white."
)
SMALLEST_SIDE = 8
"""Pixels of a picture that is encoded at its own size: a latent cell."""


def check_pictures(request: Img2ImgRequest) -> None:
    """Raises InvalidRequest for one picture too many, and for one that cannot be read; nothing is decoded
    before they are counted.
    """
    if len(request.init_images) > request.batch_size:
        raise InvalidRequest(
            "init_images",
            f"init_images holds {len(request.init_images)} pictures for a batch of {request.batch_size}; "
            "give one picture, or one for each of the batch.",
        )
    with decoded(_texts(request)) as pictures:
        starts = [upright(each) for each in pictures[: len(request.init_images)]]
        sizes = {each.size for each in starts}
    if request.resize_mode is not ResizeChoice.LATENT:
        return
    if len(sizes) > 1:
        raise InvalidRequest(
            "resize_mode",
            "Resize mode 3 encodes the pictures of a batch together at their own size, and theirs differ; "
            "choose mode 0, 1 or 2, or send one at a time.",
        )
    [(width, height)] = sizes
    if min(width, height) < SMALLEST_SIDE and not _cuts_a_part_out(request):
        raise InvalidRequest(
            "resize_mode",
            f"Resize mode 3 encodes the picture at its own size, and {width}x{height} is less than a latent "
            f"cell of {SMALLEST_SIDE}x{SMALLEST_SIDE}; choose mode 0, 1 or 2, or send a larger one.",
        )


def refuse_empty_mask(request: Img2ImgRequest) -> None:
    """Raises InvalidRequest where the mask masks nothing: for whoever can still mark something."""
    if request.mask is None:
        return
    with decoded([("mask", request.mask)]) as [picture]:
        is_empty = masks_nothing(_mask_of(request, upright(picture)))
    if is_empty:
        what = "white, and inverted" if request.inpainting_mask_invert else "black"
        raise InvalidRequest(
            "mask", f"The mask is all {what}, so nothing would be drawn: mark the part that is to change."
        )


def _texts(request: Img2ImgRequest) -> list[tuple[str, str]]:
    """The pictures of `request` by their fields: those to start from, the mask, the latent mask."""
    texts = [("init_images", text) for text in request.init_images]
    masks = ((field, getattr(request, field)) for field in ("mask", "latent_mask"))
    return texts + [(field, text) for field, text in masks if text is not None]


def _cuts_a_part_out(request: Img2ImgRequest) -> bool:
    return request.mask is not None and request.inpaint_full_res


def given_pixels(request: Img2ImgRequest) -> int:
    """Pixels of all pictures that `request` gives, told by the heads of their files.

    Raises InvalidRequest for one that is no picture, or too large.
    """
    pictures = [decode_picture(field, text) for field, text in _texts(request)]
    return sum(picture.width * picture.height for picture in pictures)


def first_size(request: Img2ImgRequest) -> tuple[int, int]:
    """Width and height of the first picture of `request`, upright; only the head of its file is read."""
    return upright_size(decode_picture("init_images", request.init_images[0]))


def first_picture(request: Img2ImgRequest, background: str = "#ffffff") -> Image.Image:
    """The first picture of `request` (RGB), its transparent parts in the colour of the `background`."""
    with decoded([("init_images", request.init_images[0])], seconds=None) as [picture]:
        return _on_background(upright(picture), background)


def make_canvas(run: Run, start: StartPictures | None = None) -> Canvas:
    """The canvas of an image-to-image run, from `start` in the place of what the request gives."""
    request = run.request
    assert isinstance(request, Img2ImgRequest)
    if start is not None:
        return _canvas(run, request, start)
    # What is drawn waits for calls that decode, and is never refused for them.
    with decoded(_texts(request), seconds=None) as pictures:
        return _canvas(run, request, _given(request, [upright(each) for each in pictures]))


def _canvas(run: Run, request: Img2ImgRequest, given: StartPictures) -> Canvas:
    options = run.options
    masking, enlarge, mode = _masking(request, given), _enlarger(options), _mask_mode(request)
    pictures, overlays, wholes = [], [], []
    for each in given.pictures:
        picture = _on_background(each, options.img2img_background_color)
        if request.resize_mode is not ResizeChoice.LATENT and not (masking and masking.box):
            picture = resize_image(mode, picture, request.width, request.height, enlarge)
        wholes.append(_fitted(picture, masking.for_overlay, request) if masking else picture)
        if masking:
            overlays.append(overlay_of(wholes[-1], masking.for_overlay))
            if masking.box:
                picture = picture.crop(masking.box)
                picture = resize_image(ResizeMode.FILL, picture, request.width, request.height, enlarge)
        pictures.append(picture)
    originals = pictures
    latent_mask = _latent_mask(request, given, masking)
    if latent_mask and request.inpainting_fill is not MaskedContent.ORIGINAL:
        pictures = [fill_masked(picture, _at_size(latent_mask, picture.size)) for picture in pictures]
    # Where nothing is masked the picture itself is the result, whatever the setting says.
    lays_over = options.overlay_inpaint or (masking is not None and masking.is_empty)
    return Canvas(
        pictures=tuple(pictures),
        mask=masking.mask if masking else None,
        latent_mask=latent_mask,
        overlays=tuple(overlays) if lays_over else (),
        box=masking.box if masking else None,
        corrects_colours=options.img2img_color_correction,
        apart=request.apart,
        enlarge=enlarge,
        originals=tuple(originals),
        wholes=tuple(wholes if lays_over else originals),
        draws_nothing=masking is not None and masking.is_empty,
    )


def _given(request: Img2ImgRequest, pictures: Sequence[Image.Image]) -> StartPictures:
    """`pictures`: those of `_texts`, upright."""
    count = len(request.init_images)
    masks = list(pictures[count:])
    mask = masks.pop(0) if request.mask is not None else None
    latent_mask = masks.pop(0) if request.latent_mask is not None else None
    return StartPictures(tuple(pictures[:count]), mask, latent_mask)


def _on_background(picture: Image.Image, colour: str) -> Image.Image:
    """`picture` (RGB), its transparent parts in `colour`."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    background = Image.new("RGBA", picture.size, colour)
    background.alpha_composite(picture.convert("RGBA"))
    return background.convert("RGB")


def _enlarger(options: Options) -> Enlarge | None:
    """What enlarges a picture before it is brought to size, by setting; masks never."""
    upscaler = UPSCALERS.get(options.upscaler_for_img2img or "None")
    return None if upscaler is None or upscaler.name == "None" else partial(upscale_picture, upscaler)


def _at_size(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`mask` at the size of a picture, which is its own where the latent is resized in its place."""
    return mask if mask.size == size else mask.resize(size, Image.Resampling.LANCZOS)


def _fitted(picture: Image.Image, mask: Image.Image, request: Img2ImgRequest) -> Image.Image:
    """`picture` at the size of the overlay's mask."""
    if picture.size == mask.size:
        return picture
    return resize_image(_mask_mode(request), picture, *mask.size)


def _mask_mode(request: Img2ImgRequest) -> ResizeMode:
    latent = request.resize_mode is ResizeChoice.LATENT
    return ResizeMode.STRETCH if latent else ResizeMode(request.resize_mode)


def _mask_of(
    request: Img2ImgRequest, picture: Image.Image, size: tuple[int, int] | None = None
) -> Image.Image:
    """The mask (L) that `picture` stands for, at `size` or at its own, white where is drawn anew."""
    mask = mask_of_picture(picture, request.mask_round)
    if request.inpainting_mask_invert:
        mask = invert_mask(mask)
    return resize_mask(ResizeMode.STRETCH, mask, *size) if size and mask.size != size else mask


def _masking(request: Img2ImgRequest, given: StartPictures) -> _Masking | None:
    if given.mask is None:
        return None
    # Only where a part is cut out of both must the mask have the size of the picture.
    size = given.pictures[0].size if request.inpaint_full_res else None
    mask = _mask_of(request, given.mask, size)
    if masks_nothing(mask):
        return _empty_masking(request, size)
    mask = soften_mask(mask, *request.blur)
    if not request.inpaint_full_res:
        resized = resize_mask(_mask_mode(request), mask, request.width, request.height)
        return _Masking(resized, strengthened(resized), None)
    box = box_of_mask(mask, request.inpaint_full_res_padding)
    if box is None:  # the blur has left nothing of a soft mask
        return _empty_masking(request, size)
    box = grow_to_aspect(box, request.width, request.height, mask.size)
    part = resize_mask(ResizeMode.FILL, mask.crop(box), request.width, request.height)
    return _Masking(part, mask, box)


def _empty_masking(request: Img2ImgRequest, size: tuple[int, int] | None) -> _Masking:
    """Nothing is drawn, and all of the picture is laid over what comes out."""
    nothing = Image.new("L", (request.width, request.height))
    if size is None:
        return _Masking(nothing, nothing, None, is_empty=True)
    return _Masking(nothing, Image.new("L", size), Box(0, 0, *size), is_empty=True)


def _latent_mask(
    request: Img2ImgRequest, given: StartPictures, masking: _Masking | None
) -> Image.Image | None:
    if given.latent_mask is not None and masking is not None and not masking.is_empty:
        mask = mask_of_picture(given.latent_mask, request.mask_round)
        return resize_mask(ResizeMode.STRETCH, mask, request.width, request.height)
    return masking.mask if masking else None
