"""What a face asks for: a merge of checkpoints, or the conversion of one; checked at the door."""

from __future__ import annotations

import math
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from modules.adapters import Magnitudes

__all__ = [
    "BakedLora",
    "ConfigSource",
    "ConvertRequest",
    "Ema",
    "FileFormat",
    "Interpolation",
    "MergeRequest",
    "Precision",
]

LONGEST_NAME = 1000
LONGEST_FORMULA = 2000
LONGEST_PATTERN = 1000
LONGEST_METADATA = 1_000_000
MOST_MODELS = 26
MOST_LORAS = 50


class Interpolation(StrEnum):
    """How a tensor of the result is computed from those of the models; m is the multiplier."""

    NONE = "No interpolation"
    """A, as it is."""
    WEIGHTED_SUM = "Weighted sum"
    """(1 - m) * A + m * B, in the files' own types."""
    ADD_DIFFERENCE = "Add difference"
    """A + m * (B - C), in the files' own types."""
    FORMULA = "Formula"
    """The request's formula, in double precision, rounded once."""


class FileFormat(StrEnum):
    """The kind of file that is written; the value is its ending."""

    SAFETENSORS = "safetensors"
    CKPT = "ckpt"


class Precision(StrEnum):
    """In which type the numbers of the result are stored."""

    KEEP = "as in the models"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class ConfigSource(IntEnum):
    """Whose configuration (the .yaml of the same name) is copied beside the result."""

    FIRST_FOUND = 0
    """That of the first of A, B, C that has one."""
    B = 1
    C = 2
    NONE = 3


class Ema(StrEnum):
    """What becomes of the running averages (EMA) that trainers keep beside the weights."""

    KEEP = "keep"
    DROP = "drop"
    """The weights alone stay."""
    USE = "use"
    """They take the place of the weights."""


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _nothing_chosen(value: str | None) -> str | None:
    return None if value in (None, "", "None") else value


Number = Annotated[float, AfterValidator(_finite)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Choice = Annotated[str | None, Field(max_length=LONGEST_NAME), AfterValidator(_nothing_chosen)]


class _Request(BaseModel):
    """Unknown fields are refused: a misspelt one would give another file than the one that was meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    custom_name: str = Field(
        "", max_length=LONGEST_NAME, description="Name of the result without ending; empty: made up."
    )
    checkpoint_format: FileFormat = Field(FileFormat.SAFETENSORS, description="safetensors or ckpt.")
    save_as: Precision = Field(
        Precision.KEEP, description="Number type of the result; tensors that are only copied keep theirs."
    )
    discard_weights: str = Field(
        "", max_length=LONGEST_PATTERN, description="Tensors whose name this regular expression finds go."
    )
    bake_in_vae: Choice = Field(None, description="VAE file whose numbers the result gets; None: none.")
    overwrite: bool = Field(False, description="Replace a file of the result's name.")

    @model_validator(mode="before")
    @classmethod
    def _half_by_its_old_name(cls, values: Any) -> Any:
        """`save_as_half: true` is the field's name for saving as float16."""
        if not isinstance(values, dict) or "save_as_half" not in values:
            return values
        rest = {key: value for key, value in values.items() if key != "save_as_half"}
        return {**rest, "save_as": Precision.FLOAT16} if values["save_as_half"] else rest


class BakedLora(BaseModel):
    """A LoRA (or a relative of it) that is computed into the result, by its name in prompts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="As prompts call it.")
    text: Number = Field(1.0, description="Strength in the text encoders.")
    unet: Number = Field(1.0, description="Strength in the UNet.")


class MergeRequest(_Request):
    """A merge, with the names of the field's form; models are named as everywhere (title, name or hash)."""

    primary: Name = Field(description="Model A.")
    secondary: Choice = Field(None, description="Model B.")
    tertiary: Choice = Field(None, description="Model C.")
    models: dict[str, Name] = Field(
        {}, max_length=MOST_MODELS, description="Further models of the formula, by the names it uses."
    )
    interp_method: Interpolation = Field(Interpolation.WEIGHTED_SUM, description="What is computed.")
    multiplier: Number = Field(0.3, description="m: usually from 0 (model A) to 1.")
    formula: str = Field(
        "", max_length=LONGEST_FORMULA, description="For Formula: such as A*0.6 + B*0.4 + (C-D)*m."
    )
    block_weights: dict[str, Number] = Field(
        {}, max_length=30, description="The multiplier in single blocks: BASE, IN00 ..., M00, OUT00 ..."
    )
    loras: tuple[BakedLora, ...] = Field((), max_length=MOST_LORAS, description="LoRAs to bake in.")
    magnitudes: Magnitudes = Field(
        Magnitudes.AUTOMATIC, description="Whether the magnitudes of DoRAs among them are applied."
    )
    config_source: ConfigSource = Field(
        ConfigSource.FIRST_FOUND, description="0: the configuration of A, B or C, 1: B's, 2: C's, 3: none."
    )
    save_metadata: bool = Field(True, description="Write metadata into the result.")
    add_merge_recipe: bool = Field(True, description="Among it the recipe and the hashes of all models.")
    copy_metadata_fields: bool = Field(True, description="Among it the models' own.")
    metadata_json: str = Field(
        "{}", max_length=LONGEST_METADATA, description="Further metadata: a JSON object of texts."
    )


class ConvertRequest(_Request):
    """A checkpoint in another format, another number type, or without what drawing does not need."""

    checkpoint: Name = Field(description="The model: title, name or hash.")
    ema: Ema = Field(Ema.KEEP, description="keep, drop, or use in place of the weights.")
    drop_vae: bool = Field(False, description="Leave the VAE out; drawing then needs one in its own file.")
    copy_config: bool = Field(True, description="Copy the .yaml beside the checkpoint too.")
