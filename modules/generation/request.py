"""What a face asks for: a request for pictures, checked at the door; what all kinds have in common."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from modules.client_values import is_no_name, without_nothing
from modules.errors import InvalidRequest

__all__ = [
    "MAX_PROMPT_CHARACTERS",
    "PictureRequest",
    "Prompt",
    "Side",
    "finite",
    "parse_request",
    "sentence_of_errors",
]

MAX_PROMPT_CHARACTERS = 30_000
LATER_FIELDS = {
    "firstpass_image": "starting a hires pass from a picture is",
    "alwayson_scripts": "scripts are",
}
LATER = "later"
TEXTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt", "infotext")
"""Fields in which an empty text is a value."""
NAMES = (
    "sampler_name",
    "sampler_index",
    "scheduler",
    "script_name",
    "refiner_checkpoint",
    "hr_checkpoint_name",
    "hr_sampler_name",
    "hr_scheduler",
    "mask",
    "latent_mask",
)
"""Fields in which clients write None for nothing."""
UNUSED: tuple[Any, ...] = (None, "", "None", {}, [])
SMALLEST_SIDE, LARGEST_SIDE = 64, 8192
DEEPEST, MOST_VALUES = 32, 20_000
"""Of plain data that a request carries: lists and objects inside one another, and values in all."""
LARGEST_NUMBER = 1e6
"""Of noise, churn and the like; with larger ones pictures are no numbers any more."""
LARGEST_GUIDANCE = 1000.0


def _seed(value: Any) -> int:
    """A whole number as it is; anything else (empty, words, None, 1.5) asks for a random one: -1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return int(str(value).strip())
    except ValueError:
        return -1


def _side(value: int) -> int:
    if value % 8:
        raise ValueError(
            f"must be a multiple of 8; the nearest are {value // 8 * 8} and {value // 8 * 8 + 8}"
        )
    return value


def finite(value: float) -> float:
    """`value` if pictures can be computed with it; raises ValueError."""
    if not abs(value) <= LARGEST_NUMBER:
        raise ValueError(f"must be a finite number, at most {LARGEST_NUMBER:g}")
    return value


def guidance(value: float) -> float:
    """`value` if a picture can be guided so; raises ValueError."""
    if not abs(value) <= LARGEST_GUIDANCE:
        raise ValueError(
            f"must be from {-LARGEST_GUIDANCE:g} to {LARGEST_GUIDANCE:g}; choose a lower CFG scale"
        )
    return value


def bounded_json(value: Any) -> Any:
    """`value`, plain data of a caller, if it is of bounded depth and size; raises ValueError."""
    level, nodes = [value], 1
    for _ in range(DEEPEST):
        inner = [each for outer in level for each in (outer.values() if isinstance(outer, dict) else outer)]
        nodes += len(inner)
        level = [each for each in inner if isinstance(each, dict | list | tuple)]
        if not level or nodes > MOST_VALUES:
            break
    if level or nodes > MOST_VALUES:
        raise ValueError(f"must be at most {DEEPEST} levels deep, of at most {MOST_VALUES} values in all")
    return value


Seed = Annotated[int, BeforeValidator(_seed)]
Prompt = Annotated[str, Field(max_length=MAX_PROMPT_CHARACTERS)]
Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]
R = TypeVar("R", bound="PictureRequest")


class PictureRequest(BaseModel):
    """What every request for pictures may say, with the field's names and defaults.

    A field given as null takes its default, and so does one that is empty or the name None, since clients
    send these for what they do not set. Fields that are unknown are ignored. Sizes are pixels, multiples of
    8; strengths run from 0 to 1; seeds may be any whole number, -1 draws one.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    prompt: Prompt = Field(
        "", description="What the picture shows; the prompt language is described in docs/prompts.md."
    )
    negative_prompt: Prompt = Field("", description="What the picture must not show.")
    styles: tuple[str, ...] = Field((), description="Names of styles from styles.csv, applied in order.")
    seed: Seed = Field(-1, description="Seed of the first picture; -1 draws one.")
    subseed: Seed = Field(-1, description="Variation seed of the first picture; -1 draws one.")
    subseed_strength: float = Field(
        0.0, ge=0, le=1, description="How far the noise moves to the variation seed's."
    )
    seed_resize_from_h: int = Field(
        -1, le=LARGEST_SIDE, description="Height that the seed was found at; 0 or less: off."
    )
    seed_resize_from_w: int = Field(
        -1, le=LARGEST_SIDE, description="Width that the seed was found at; 0 or less: off."
    )
    sampler_name: str | None = Field(
        None, max_length=200, description="Sampler; old joined names are understood."
    )
    scheduler: str | None = Field(
        None, max_length=200, description="Schedule of the noise levels; null: Automatic."
    )
    sampler_index: str = Field(
        "Euler", max_length=200, description="Older name of sampler_name, used when that is null."
    )
    batch_size: int = Field(1, ge=1, le=128, description="Pictures made together.")
    n_iter: int = Field(1, ge=1, le=10_000, description="Batches made one after another.")
    steps: int = Field(50, ge=1, le=1000, description="Sampling steps.")
    cfg_scale: float = Field(7.0, description="Guidance: usually 1 to 30, at most 1000; 1 switches it off.")
    width: Side = Field(512, description="Width in pixels.")
    height: Side = Field(512, description="Height in pixels.")
    restore_faces: bool = Field(
        False, description="Accepted for the field's clients; faces are left as drawn."
    )
    tiling: bool | None = Field(None, description="Make a picture that can be tiled; null: the setting.")
    do_not_save_samples: bool = Field(False, description="Do not save single pictures.")
    do_not_save_grid: bool = Field(False, description="Do not save the grid.")
    refiner_checkpoint: str | None = Field(
        None, max_length=1000, description="Checkpoint that takes over in the middle of the drawing."
    )
    refiner_switch_at: float | None = Field(
        None, ge=0, le=1, description="Share of the schedule after which it does; null: from the start."
    )
    eta: float | None = Field(
        None, ge=0, le=10, description="Noise of ancestral samplers and DDIM; null: the setting."
    )
    s_min_uncond: float | None = Field(
        None, ge=0, description="Skip the negative prompt at odd steps below this sigma."
    )
    s_churn: float | None = Field(None, ge=0, description="Stochasticity of Euler, Heun, DPM2.")
    s_tmax: float | None = Field(None, ge=0, description="Highest sigma with churn; 0: no bound.")
    s_tmin: float | None = Field(None, ge=0, description="Lowest sigma with churn.")
    s_noise: float | None = Field(None, ge=0, description="Scale of the noise that samplers add.")
    script_name: str | None = Field(
        None, max_length=200, description="A script of the Script menu, in whatever case; null: none."
    )
    script_args: tuple[Any, ...] = Field(
        (), max_length=1000, description="Its arguments in order; those left out take their defaults."
    )
    disable_extra_networks: bool = Field(
        False, description="Draw without the LoRAs and hypernetworks that the prompt's tags name."
    )
    override_settings: dict[str, Any] = Field({}, description="Settings for this request alone.")
    override_settings_restore_afterwards: bool = Field(
        True, description="False: the settings above stay set."
    )
    force_task_id: str | None = Field(
        None, max_length=200, description="Name of the job, for following its progress."
    )
    send_images: bool = Field(True, description="Put the pictures into the answer.")
    save_images: bool = Field(False, description="Save the pictures into the outputs folder.")
    infotext: str | None = Field(
        None,
        max_length=200_000,
        description="Generation text whose values are used where the request names none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, values: Any) -> Any:
        return without_nothing(values, TEXTS, NAMES)

    @field_validator("styles", mode="before")
    @classmethod
    def _styles_by_name(cls, value: Any) -> Any:
        if is_no_name(value):
            return ()
        return (
            tuple(each for each in value if not is_no_name(each))
            if isinstance(value, list | tuple)
            else value
        )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_left_undone_in_silence(cls, values: Any) -> Any:
        """Refuses what would change the picture and is not done yet; clients send these fields empty."""
        for name, what in LATER_FIELDS.items() if isinstance(values, dict) else ():
            if values.get(name) not in UNUSED:
                raise PydanticCustomError(
                    LATER, "{field} is given, and {what} not part of this version; leave it out",
                    {"field": name, "what": what},
                )  # fmt: skip
        return values

    @field_validator("width", "height")
    @classmethod
    def _whole_latent_cells(cls, value: int) -> int:
        return _side(value)

    @field_validator("cfg_scale")
    @classmethod
    def _computable_guidance(cls, value: float) -> float:
        return guidance(value)

    @field_validator(
        "subseed_strength",
        "eta",
        "s_churn",
        "s_tmin",
        "s_tmax",
        "s_noise",
        "s_min_uncond",
    )
    @classmethod
    def _no_infinity(cls, value: float | None) -> float | None:
        return value if value is None else finite(value)

    @field_validator("override_settings", "script_args")
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        return bounded_json(value)

    @property
    def sampler(self) -> str:
        """The sampler asked for, under whichever of its two names."""
        return self.sampler_name or self.sampler_index


def sentence_of_errors(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """The first of pydantic's `errors` as a sentence that names the field, its value and the bound."""
    first = errors[0]
    if first["type"] == LATER:
        return InvalidRequest(first["ctx"]["field"], f"{first['msg']}.")
    field = ".".join(str(part) for part in first["loc"]) or "request"
    shown = repr(first.get("input"))
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    reason = reason[0].lower() + reason[1:]
    return InvalidRequest(field, f"{field} cannot be {shown}: {reason}.")


def parse_request(kind: type[R], values: dict[str, Any]) -> R:
    """A checked request of this kind from plain data.

    Raises InvalidRequest with a sentence for the first value that is wrong.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise sentence_of_errors(error.errors()) from error
