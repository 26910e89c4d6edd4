"""What the field's clients send beside a request: what this version does not have yet."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from modules.generation import PictureRequest, parse_request
from modules.infotext import read_infotext, to_request_values
from modules.settings import Options

__all__ = ["CallFields", "request_of"]

R = TypeVar("R", bound=PictureRequest)
FOR_THE_PAGE = ("seed", "extra options")
"""Scripts of the field that fill in a page's form, and do nothing to a call over the API."""


class CallFields(BaseModel):
    """Fields that stand beside a request's own. What this version does not have is refused with a sentence
    where it would change the picture, and accepted where it would not.
    """

    alwayson_scripts: dict[str, Any] = Field(
        {}, description="Scripts by name, as {name: {args: []}}. Those that are switched off are accepted."
    )
    firstpass_image: str | None = Field(None, description="Not in this version.")
    comments: dict[str, Any] | None = Field(None, description="Accepted; clients get it back as it is.")

    @model_validator(mode="before")
    @classmethod
    def _no_script_is_left_out_in_silence(cls, values: Any) -> Any:
        """A script that is switched off changes nothing, so it is taken out; any other is refused by name."""
        scripts = values.get("alwayson_scripts") if isinstance(values, dict) else None
        if not isinstance(scripts, Mapping):
            return values
        for name, script in scripts.items():
            if str(name).casefold() not in FOR_THE_PAGE and not _is_switched_off(script):
                raise PydanticCustomError(
                    "later",
                    "alwayson_scripts names {name}, and this version has no such script; leave it out",
                    {"field": "alwayson_scripts", "name": ascii(name)},
                )
        return {**values, "alwayson_scripts": {}}


def request_of(call: PictureRequest, kind: type[R], options: Options, **changed: Any) -> R:
    """The request of this `kind` alone, with the values of its `infotext` where it names none itself (the
    prompts too), and what is `changed`.

    Raises InvalidRequest for a value of the text that is out of bounds.
    """
    given = call.model_dump(include=call.model_fields_set & set(kind.model_fields)) | changed
    if not call.infotext:
        return parse_request(kind, given)
    found = to_request_values(read_infotext(call.infotext), skip=options.infotext_skip_pasting)
    settings = {**found.pop("override_settings", {}), **call.override_settings}
    return parse_request(kind, {**found, **given, "override_settings": settings})


def _is_switched_off(script: Any) -> bool:
    """Whether a script's entry asks for nothing: no arguments, or the first one, the habitual box "enable",
    is off; where the arguments are units of their own, as ControlNet's are, each of them.
    """
    arguments = script.get("args", []) if isinstance(script, Mapping) else script
    if not isinstance(arguments, list | tuple):
        return not arguments
    has_units = bool(arguments) and isinstance(arguments[0], Mapping)
    return all(_is_off(each) for each in (arguments if has_units else arguments[:1]))


def _is_off(argument: Any) -> bool:
    return argument.get("enabled") is False if isinstance(argument, Mapping) else not argument
