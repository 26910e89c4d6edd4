"""All options in one immutable model; the sections say what there is."""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.settings.declare import Section
from modules.settings.describe import option_infos
from modules.settings.info import OptionInfo, refusal_sentence
from modules.settings.sections import (
    Api,
    Compatibility,
    ExtraNetworks,
    Gallery,
    Img2Img,
    Infotext,
    Interrogate,
    LivePreviews,
    Optimizations,
    PromptEditing,
    Queue,
    SamplerParameters,
    SavingImages,
    SavingPaths,
    SavingToFolders,
    StableDiffusion,
    StableDiffusionXl,
    UiAlternatives,
    UserInterface,
    Vae,
)

__all__ = ["SECTIONS", "Options", "describe_options"]

SECTIONS: tuple[type[Section], ...] = (
    SavingImages,
    SavingPaths,
    SavingToFolders,
    StableDiffusion,
    StableDiffusionXl,
    Vae,
    Optimizations,
    Compatibility,
    Img2Img,
    Interrogate,
    ExtraNetworks,
    PromptEditing,
    Gallery,
    UiAlternatives,
    UserInterface,
    Infotext,
    LivePreviews,
    SamplerParameters,
    Queue,
    Api,
)


class Options(
    Api,
    Queue,
    SamplerParameters,
    LivePreviews,
    Infotext,
    UserInterface,
    UiAlternatives,
    Gallery,
    PromptEditing,
    ExtraNetworks,
    Interrogate,
    Img2Img,
    Compatibility,
    Optimizations,
    Vae,
    StableDiffusionXl,
    StableDiffusion,
    SavingToFolders,
    SavingPaths,
    SavingImages,
):
    """A snapshot of the settings, typed, under the keys of the field. Other keys are kept."""

    def overridden(self, values: Mapping[str, Any]) -> Self:
        """This snapshot with `values` laid over it; unknown keys are kept as they are.

        Raises InvalidRequest with the key of a value that has a wrong type, is out of bounds or choices, or
        is text that no file can hold.
        """
        if not values:
            return self
        _refuse_what_no_file_holds(values)
        try:
            return type(self).model_validate({**self.given(), **values})
        except ValidationError as error:
            key, value, reason = _first_refused(error)
            raise InvalidRequest(key, refusal_sentence(_INFOS[key], value, reason)) from error

    def given(self) -> dict[str, Any]:
        """The values that were set, and not those that are only the defaults."""
        return self.model_dump(exclude_unset=True)


def _refuse_what_no_file_holds(values: Mapping[str, Any]) -> None:
    """Lone halves of UTF-16 pairs come through JSON, and no encoding can write them."""
    for key, value in values.items():
        try:
            f"{key}{json.dumps(value, ensure_ascii=False, default=str)}".encode()
        except UnicodeEncodeError as error:
            sentence = f"The setting {key!a} cannot hold text that is not valid Unicode: {error.reason}."
            raise InvalidRequest(f"{key!a}"[1:-1], sentence) from error


def _first_refused(error: ValidationError) -> tuple[str, Any, str]:
    """Key and value of the first option that `error` is about, and what its own check said."""
    first = error.errors(include_url=False)[0]
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else ""
    return str(first["loc"][0]), first["input"], reason


_INFOS: Mapping[str, OptionInfo] = {info.key: info for info in option_infos(SECTIONS)}


def describe_options() -> list[OptionInfo]:
    """Every option in the order of the Settings page."""
    return list(_INFOS.values())
