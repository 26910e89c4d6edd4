"""What a batch is asked to do: plain data, checked at the door and kept on the disk."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from modules.generation import Img2ImgRequest

__all__ = ["BatchPlan", "PromptUse", "TextProperty", "request_values"]

PICTURE_FIELDS = {"init_images", "mask", "latent_mask", "force_task_id", "infotext"}


class TextProperty(StrEnum):
    """What is taken from the text of a picture; the field's names."""

    PROMPT = "Prompt"
    NEGATIVE_PROMPT = "Negative prompt"
    SEED = "Seed"
    CFG_SCALE = "CFG scale"
    SAMPLER = "Sampler"
    STEPS = "Steps"
    MODEL = "Model hash"


class PromptUse(StrEnum):
    """How a prompt that is read meets the one of the form."""

    APPEND = "Append"
    REPLACE = "Replace"


class BatchPlan(BaseModel):
    """Every picture of a folder is redrawn by the same request.

    Folders are paths; relative ones start at the data folder. `request` holds the fields of an image-to-image
    request but for its pictures.
    """

    model_config = ConfigDict(frozen=True)

    request: dict[str, Any]
    input_folder: str = ""
    output_folder: str = Field(default="", description="Empty: the usual folder, under the usual names.")
    mask_folder: str = Field(
        default="", description="One mask for all, or one for each picture with its name."
    )
    scale_by: float | None = Field(
        default=None,
        gt=0,
        le=64,
        description="Size of the results by that of each picture; null: the request's.",
    )
    reads_pictures: bool = Field(
        default=False, description="Take parameters from the text inside each picture."
    )
    text_folder: str = Field(
        default="", description="Read them from the picture of the same name in here instead."
    )
    reads_text_files: bool = Field(
        default=False, description="Take prompts from text files beside the pictures."
    )
    properties: tuple[TextProperty, ...] = tuple(TextProperty)
    prompt_use: PromptUse = PromptUse.APPEND
    seeds: dict[str, int] = Field(
        default={}, description="Drawn when the batch begins; all pictures share them."
    )

    @field_validator("input_folder", "output_folder", "mask_folder", "text_folder")
    @classmethod
    def _without_quotes(cls, value: str) -> str:
        """A path that was copied from a file manager stands in quotes."""
        return value.strip().strip('"').strip()


def request_values(request: Img2ImgRequest) -> dict[str, Any]:
    """The values of `request` as a plan holds them."""
    return request.model_dump(mode="json", exclude=PICTURE_FIELDS, exclude_unset=True)
