"""A request to enlarge a finished picture, with the field's names and bounds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from modules.client_values import without_nothing
from modules.upscaling.extras import Enlargement, Extras

__all__ = ["ExtrasRequest"]


class ExtrasRequest(BaseModel):
    """How pictures are enlarged: what the Extras tab and `/sdapi/v1/extra-*` say about it."""

    resize_mode: Literal[0, 1] = Field(0, description="0: by the factor, 1: to the width and height.")
    upscaling_resize: float = Field(2, ge=1, le=8, description="The factor.")
    upscaling_resize_w: int = Field(512, ge=1, le=65_536, description="Width in pixels.")
    upscaling_resize_h: int = Field(512, ge=1, le=65_536, description="Height in pixels.")
    upscaling_crop: bool = Field(True, description="Crop to the width and height exactly.")
    upscaler_1: str = Field("None", max_length=200, description="An upscaler of /sdapi/v1/upscalers.")
    upscaler_2: str = Field("None", max_length=200, description="A second one, blended in.")
    extras_upscaler_2_visibility: float = Field(0, ge=0, le=1, description="How much of the second shows.")

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, values: Any) -> Any:
        return without_nothing(values, names=("image",))

    def extras(self) -> Extras:
        """What to do."""
        size = (self.upscaling_resize_w, self.upscaling_resize_h) if self.resize_mode else None
        return Extras(
            Enlargement(self.upscaling_resize, size, self.upscaling_crop),
            self.upscaler_1,
            self.upscaler_2,
            self.extras_upscaler_2_visibility,
        )
