"""A text-to-image request."""

from typing import Any

from pydantic import Field, field_validator

from modules.generation.request import LARGEST_SIDE, PictureRequest, Prompt, finite, parse_request

__all__ = ["Txt2ImgRequest", "parse_txt2img"]


class Txt2ImgRequest(PictureRequest):
    """A text-to-image request with the field's names and defaults (`/sdapi/v1/txt2img`)."""

    denoising_strength: float | None = Field(None, ge=0, le=1, description="Strength of the hires pass.")
    enable_hr: bool = Field(False, description="Hires fix: upscale and draw once more.")
    hr_scale: float = Field(2.0, ge=1, le=8, description="Factor of the hires pass.")
    hr_upscaler: str | None = Field(
        None, max_length=200, description="Upscaler of the hires pass; null: Latent."
    )
    hr_second_pass_steps: int = Field(
        0, ge=0, le=1000, description="Steps of the hires pass; 0: as the first."
    )
    hr_resize_x: int = Field(
        0, ge=0, le=LARGEST_SIDE, description="Width of the hires pass; 0: by the factor."
    )
    hr_resize_y: int = Field(
        0, ge=0, le=LARGEST_SIDE, description="Height of the hires pass; 0: by the factor."
    )
    hr_checkpoint_name: str | None = Field(None, max_length=1000, description="Checkpoint of the hires pass.")
    hr_sampler_name: str | None = Field(None, max_length=200, description="Sampler of the hires pass.")
    hr_scheduler: str | None = Field(None, max_length=200, description="Schedule of the hires pass.")
    hr_prompt: Prompt = Field("", description="Prompt of the hires pass; empty: the first's.")
    hr_negative_prompt: Prompt = Field(
        "", description="Negative prompt of the hires pass; empty: the first's."
    )

    @field_validator("hr_scale")
    @classmethod
    def _no_infinite_scale(cls, value: float) -> float:
        return finite(value)


def parse_txt2img(values: dict[str, Any]) -> Txt2ImgRequest:
    """A checked request from plain data. Raises InvalidRequest for the first value that is wrong."""
    return parse_request(Txt2ImgRequest, values)
