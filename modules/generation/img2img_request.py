"""An image-to-image request, with or without a mask."""

from enum import IntEnum
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from modules.client_values import is_no_name
from modules.generation.request import PictureRequest, finite, guidance, parse_request

__all__ = ["Img2ImgRequest", "MaskedContent", "ResizeChoice", "parse_img2img"]

MOST_PICTURES = 128
LARGEST_BLUR = 1000
Base64 = Annotated[str, Field(max_length=300_000_000)]


class ResizeChoice(IntEnum):
    """How the picture is brought to the size asked for; the field's numbers."""

    STRETCH = 0
    CROP = 1
    FILL = 2
    LATENT = 3


class MaskedContent(IntEnum):
    """What stands below the mask at the start; the field's numbers."""

    FILL = 0
    ORIGINAL = 1
    LATENT_NOISE = 2
    LATENT_NOTHING = 3


class Img2ImgRequest(PictureRequest):
    """An image-to-image request with the field's names and defaults (`/sdapi/v1/img2img`).

    Pictures are base64, with or without a data URL's head.
    """

    init_images: tuple[Base64, ...] = Field(
        (),
        max_length=MOST_PICTURES,
        validate_default=True,
        description="The picture to redraw; several: one for each picture of the batch.",
    )
    resize_mode: ResizeChoice = Field(
        ResizeChoice.STRETCH, description="0 stretch, 1 crop, 2 fill, 3 resize the latent."
    )
    denoising_strength: float = Field(
        0.75, ge=0, le=1, description="How much is drawn anew: 0 nothing, 1 everything."
    )
    initial_noise_multiplier: float | None = Field(
        None, ge=0, le=10, description="Scale of the noise at the start; null: the setting."
    )
    luma_strength: float | None = Field(
        None,
        ge=0,
        le=1,
        description="How much the brightness may change: 0 not at all, 1 freely; null: as the denoising "
        "strength.",
    )
    chroma_strength: float | None = Field(
        None,
        ge=0,
        le=1,
        description="How much the colours may change: 0 not at all, 1 freely; null: as the denoising "
        "strength.",
    )
    include_init_images: bool = Field(
        False, description="Put the given pictures into the answer's parameters."
    )
    mask: Base64 | None = Field(None, description="White is drawn anew; null: the whole picture.")
    latent_mask: Base64 | None = Field(
        None, description="Another mask for the latent alone; null: the same mask."
    )
    mask_blur: int | None = Field(
        None, ge=0, le=LARGEST_BLUR, description="Softness of the mask's edge in pixels, both ways."
    )
    mask_blur_x: int = Field(4, ge=0, le=LARGEST_BLUR, description="Softness across.")
    mask_blur_y: int = Field(4, ge=0, le=LARGEST_BLUR, description="Softness down.")
    mask_round: bool = Field(True, description="A latent cell is masked or not; false: soft masks.")
    inpainting_fill: MaskedContent = Field(
        MaskedContent.FILL, description="0 fill, 1 original, 2 latent noise, 3 latent nothing."
    )
    inpaint_full_res: bool = Field(True, description="Draw only the masked part, at the size asked for.")
    inpaint_full_res_padding: int = Field(
        0, ge=0, le=8192, description="Pixels around the masked part that are seen too."
    )
    inpainting_mask_invert: int = Field(0, ge=0, le=1, description="1: white is kept instead.")
    image_cfg_scale: float | None = Field(
        None,
        description="Guidance towards the picture, for checkpoints that edit by instruction; null: none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _several_pictures_are_the_batch(cls, values: Any) -> Any:
        """Where there are several pictures, but fewer than the batch asked for, the batch is as large as they
        are many.
        """
        if not isinstance(values, dict):
            return values
        given, size = values.get("init_images"), values.get("batch_size")
        if isinstance(given, list | tuple):
            given = [each for each in given if not is_no_name(each)]
            values = {**values, "init_images": given}
        if isinstance(given, list | tuple) and isinstance(size, int) and 1 < len(given) < size:
            return {**values, "batch_size": len(given)}
        return values

    @field_validator("init_images")
    @classmethod
    def _is_about_a_picture(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("there is no picture to start from; add one")
        return value

    @field_validator(
        "denoising_strength",
        "initial_noise_multiplier",
        "luma_strength",
        "chroma_strength",
    )
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        return value if value is None else finite(value)

    @field_validator("image_cfg_scale")
    @classmethod
    def _computable_guidance_by_picture(cls, value: float | None) -> float | None:
        return value if value is None else guidance(value)

    @property
    def apart(self) -> tuple[float, float] | None:
        """(luma, chroma): which share, 0 .. 1, of what the denoising strength lets change may change in each;
        None where all of it may.
        """
        whole = self.denoising_strength
        given = (self.luma_strength, self.chroma_strength)
        luma, chroma = (whole if strength is None else strength for strength in given)
        return (min(luma / whole, 1), min(chroma / whole, 1)) if min(luma, chroma) < whole else None

    @property
    def blur(self) -> tuple[int, int]:
        """Softness of the mask across and down, pixels."""
        both = self.mask_blur
        return (self.mask_blur_x, self.mask_blur_y) if both is None else (both, both)


def parse_img2img(values: dict[str, Any]) -> Img2ImgRequest:
    """A checked request from plain data. Raises InvalidRequest for the first value that is wrong."""
    return parse_request(Img2ImgRequest, values)
