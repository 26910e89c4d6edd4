"""Enlarging finished pictures: the field's Extras, with the upscalers that need no model."""

import html
import io
import threading
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field

from modules.errors import InvalidRequest
from modules.house import House
from modules.imaging import MAX_PIXELS, PictureFormat, SaveFormat, encode_picture, load_picture, read_texts
from modules.rest.errors import error_statuses
from modules.rest.pictures import EXAMPLE_PICTURE, encode_bytes
from modules.settings import Options
from modules.upscaling import Enlargement, Extras, enlarge_picture, enlarged_size

__all__ = ["extras_routes"]

LONGEST_BATCH = 100


class _ExtrasCall(BaseModel):
    """What both calls share. Restoring faces is not part of this version: its strengths must be 0."""

    resize_mode: Literal[0, 1] = Field(0, description="0: by the factor, 1: to the width and height.")
    show_extras_results: bool = Field(True, description="Put the pictures into the answer.")
    gfpgan_visibility: float = Field(0, ge=0, le=1, description="Must be 0 in this version.")
    codeformer_visibility: float = Field(0, ge=0, le=1, description="Must be 0 in this version.")
    codeformer_weight: float = Field(0, ge=0, le=1, description="Without effect at visibility 0.")
    upscaling_resize: float = Field(2, ge=1, le=8, description="The factor.")
    upscaling_resize_w: int = Field(512, ge=1, le=65_536, description="Width in pixels.")
    upscaling_resize_h: int = Field(512, ge=1, le=65_536, description="Height in pixels.")
    upscaling_crop: bool = Field(True, description="Crop to the width and height exactly.")
    upscaler_1: str = Field("None", max_length=200, description="An upscaler of /sdapi/v1/upscalers.")
    upscaler_2: str = Field("None", max_length=200, description="A second one, blended in.")
    extras_upscaler_2_visibility: float = Field(0, ge=0, le=1, description="How much of the second shows.")
    upscale_first: bool = Field(False, description="Without effect while no faces are restored.")

    def extras(self) -> Extras:
        """What to do. Raises InvalidRequest for what this version cannot do."""
        for field in ("gfpgan_visibility", "codeformer_visibility"):
            if getattr(self, field) > 0:
                sentence = "is above 0, and restoring faces is not part of this version; leave it at 0."
                raise InvalidRequest(field, f"{field} {sentence}")
        size = (self.upscaling_resize_w, self.upscaling_resize_h) if self.resize_mode else None
        return Extras(
            Enlargement(self.upscaling_resize, size, self.upscaling_crop),
            self.upscaler_1,
            self.upscaler_2,
            self.extras_upscaler_2_visibility,
        )


class SinglePictureCall(_ExtrasCall):
    """One picture in base64."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image": EXAMPLE_PICTURE, "upscaler_1": "Lanczos"}]}
    )

    image: str = Field("", description="The picture, base64 with or without a data URL's head.")


class NamedPicture(BaseModel):
    """A picture in base64 and its file name."""

    data: str
    name: str


class PictureBatchCall(_ExtrasCall):
    """Several pictures."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "imageList": [{"data": EXAMPLE_PICTURE, "name": "white.png"}],
                    "upscaler_1": "Nearest",
                    "upscaling_resize": 4,
                }
            ]
        }
    )

    pictures: list[NamedPicture] = Field(alias="imageList", max_length=LONGEST_BATCH)


class SinglePictureAnswer(BaseModel):
    """What was done, as HTML, and the picture in base64."""

    html_info: str
    image: str | None = None


class PictureBatchAnswer(BaseModel):
    """What was done, as HTML, and the pictures in base64, in the order of the request."""

    html_info: str
    images: list[str]


def extras_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/sdapi/v1", tags=["pictures"], responses=error_statuses(400, 413, 422))
    # Large pictures take much memory while they are worked on, so one call is worked on at a time.
    turn = threading.Lock()

    @router.post("/extra-single-image")
    def extra_single_image(call: SinglePictureCall) -> SinglePictureAnswer:
        """Enlarge a picture."""
        with turn:
            images, told = _enlarged(call, {"image": call.image}, house.store.options)
        shown = images[0] if call.show_extras_results else ""
        return SinglePictureAnswer(html_info=told, image=shown)

    @router.post("/extra-batch-images")
    def extra_batch_images(call: PictureBatchCall) -> PictureBatchAnswer:
        """Enlarge several pictures alike."""
        texts = {f"imageList.{number}.data": each.data for number, each in enumerate(call.pictures)}
        with turn:
            images, told = _enlarged(call, texts, house.store.options)
        return PictureBatchAnswer(html_info=told, images=images if call.show_extras_results else [])

    return router


def _enlarged(call: _ExtrasCall, texts: dict[str, str], options: Options) -> tuple[list[str], str]:
    """The enlarged pictures in base64, and the HTML that tells what was done.

    All are opened before the first is enlarged, so that a wrong one costs nothing.
    """
    extras = call.extras()
    pictures = {field: load_picture(field, text) for field, text in texts.items()}
    _refuse_too_much(extras, list(pictures.values()))
    images, told = [], ""
    for picture in pictures.values():
        larger, fields = enlarge_picture(picture.convert("RGB"), extras)
        told = ", ".join(f"{key}: {value}" for key, value in fields.items())
        images.append(encode_bytes(_encoded(larger, read_texts(picture).infotext, told, options)))
    return images, f"<p>{html.escape(told)}</p>"


def _refuse_too_much(extras: Extras, pictures: Sequence[Image.Image]) -> None:
    pixels = sum(width * height for width, height in (enlarged_size(each, extras) for each in pictures))
    if pixels > MAX_PIXELS:
        field = "upscaling_resize_w" if extras.enlargement.size else "upscaling_resize"
        raise InvalidRequest(
            field,
            f"The pictures would have {pixels // 10**6} megapixels, and up to {MAX_PIXELS // 10**6} are made "
            "in one call. Choose a smaller size, or send fewer.",
        )


def _encoded(image: Image.Image, infotext: str, told: str, options: Options) -> bytes:
    """The picture in the format of `samples_format`; its generation text stays in it."""
    wanted = SaveFormat.from_options(options)
    if wanted.format is not PictureFormat.PNG:
        return encode_picture(image, infotext, wanted).data
    texts, file = PngInfo(), io.BytesIO()
    for key, text in {"parameters": infotext, "postprocessing": told}.items():
        if text:
            texts.add_text(key, text)
    image.save(file, "png", pnginfo=texts)
    return file.getvalue()
