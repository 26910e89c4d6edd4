"""Enlarging finished pictures: the field's Extras, with the upscalers that need no model."""

import html

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from modules.door import Router
from modules.errors import InvalidRequest
from modules.house import House
from modules.imaging import SaveFormat, decode_picture, decoded, encode_picture, read_texts, upright
from modules.rest.errors import error_statuses
from modules.rest.pictures import EXAMPLE_PICTURE, GivenPictures, encode_bytes
from modules.settings import Options
from modules.upscaling import Extras, ExtrasRequest, enlarge_picture, refuse_too_much

__all__ = ["extras_routes"]

LONGEST_BATCH = 100


class _ExtrasCall(ExtrasRequest):
    """What both calls share. Restoring faces is not part of this version: its strengths must be 0."""

    show_extras_results: bool = Field(True, description="Put the pictures into the answer.")
    gfpgan_visibility: float = Field(0, ge=0, le=1, description="Must be 0 in this version.")
    codeformer_visibility: float = Field(0, ge=0, le=1, description="Must be 0 in this version.")
    codeformer_weight: float = Field(0, ge=0, le=1, description="Without effect at visibility 0.")
    upscale_first: bool = Field(False, description="Without effect while no faces are restored.")

    def extras(self) -> Extras:
        """What to do. Raises InvalidRequest for what this version cannot do."""
        for field in ("gfpgan_visibility", "codeformer_visibility"):
            if getattr(self, field) > 0:
                sentence = "is above 0, and restoring faces is not part of this version; leave it at 0."
                raise InvalidRequest(field, f"{field} {sentence}")
        return super().extras()


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


def extras_routes(house: House, given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to `house` and the pictures that calls give."""
    router = Router(prefix="/sdapi/v1", tags=["pictures"], responses=error_statuses(422, 429))

    @router.post("/extra-single-image")
    async def extra_single_image(call: SinglePictureCall) -> SinglePictureAnswer:
        """Enlarge a picture."""
        texts = await to_thread.run_sync(given.texts, {"image": call.image})
        images, told = await house.enlarging.run(_enlarged, call, texts, house.store.options)
        shown = images[0] if call.show_extras_results else ""
        return SinglePictureAnswer(html_info=told, image=shown)

    @router.post("/extra-batch-images")
    async def extra_batch_images(call: PictureBatchCall) -> PictureBatchAnswer:
        """Enlarge several pictures alike."""
        sent = {f"imageList.{number}.data": each.data for number, each in enumerate(call.pictures)}
        texts = await to_thread.run_sync(given.texts, sent)
        images, told = await house.enlarging.run(_enlarged, call, texts, house.store.options)
        return PictureBatchAnswer(html_info=told, images=images if call.show_extras_results else [])

    return router


def _enlarged(call: _ExtrasCall, texts: dict[str, str], options: Options) -> tuple[list[str], str]:
    """The enlarged pictures in base64, and the HTML that tells what was done.

    All sizes are read before the first picture is decoded, and all are decoded before one is enlarged, so
    that a wrong one costs nothing.
    """
    extras = call.extras()
    refuse_too_much([decode_picture(field, text).size for field, text in texts.items()], extras)
    images, told, wanted = [], "", SaveFormat.from_options(options)
    with decoded(list(texts.items())) as pictures:
        for picture in pictures:
            infotext = read_texts(picture).infotext
            larger, fields = enlarge_picture(upright(picture), extras)
            told = ", ".join(f"{key}: {value}" for key, value in fields.items())
            encoded = encode_picture(larger, infotext, wanted, postprocessing=told)
            images.append(encode_bytes(encoded.data))
    return images, f"<p>{html.escape(told)}</p>"
