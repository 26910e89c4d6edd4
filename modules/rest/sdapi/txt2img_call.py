"""What `/sdapi/v1/txt2img` is called with: the request, and the fields that stand beside it in the field."""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from modules.errors import InvalidRequest
from modules.generation import Txt2ImgRequest, parse_txt2img
from modules.infotext import read_infotext, to_request_values
from modules.settings import Options

__all__ = ["EXAMPLE", "Txt2ImgCall"]

EXAMPLE: JsonDict = {
    "prompt": "a lighthouse at dusk",
    "negative_prompt": "people",
    "steps": 20,
    "width": 512,
    "height": 512,
    "seed": 7,
    "sampler_name": "DPM++ 2M",
    "scheduler": "Karras",
    "override_settings": {"CLIP_stop_at_last_layers": 2},
}


class Txt2ImgCall(Txt2ImgRequest):
    """A text-to-image request with all the field's names. What this version does not have is refused with a
    sentence where it would change the picture, and accepted where it would not.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    firstphase_width: int = Field(
        0, ge=0, le=8192, description="Older name: width before the hires pass, `width` being the final one."
    )
    firstphase_height: int = Field(0, ge=0, le=8192, description="As firstphase_width.")
    script_name: str | None = Field(None, description="A script of the menu; there is none in this version.")
    script_args: list[Any] = Field([], description="Arguments of the script.")
    alwayson_scripts: dict[str, Any] = Field(
        {}, description="Scripts by name, as {name: {args: []}}. Those that are switched off are accepted."
    )
    refiner_checkpoint: str | None = Field(None, description="Not in this version.")
    refiner_switch_at: float | None = Field(None, description="Without effect without a refiner.")
    disable_extra_networks: bool = Field(
        False, description="Accepted; this version applies no extra networks."
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
            if not _is_switched_off(script):
                raise PydanticCustomError(
                    "later",
                    "alwayson_scripts names {name}, and this version has no such script; leave it out",
                    {"field": "alwayson_scripts", "name": ascii(name)},
                )
        return {**values, "alwayson_scripts": {}}

    def request(self, options: Options) -> Txt2ImgRequest:
        """The request alone, with the values of its `infotext` where it names none itself (the prompts too).

        Raises InvalidRequest for a value of the text that is out of bounds.
        """
        given = self.model_dump(include=self.model_fields_set & set(Txt2ImgRequest.model_fields))
        given |= self._sizes_by_their_older_names()
        if not self.infotext:
            return parse_txt2img(given)
        found = to_request_values(read_infotext(self.infotext), skip=options.infotext_skip_pasting)
        settings = {**found.pop("override_settings", {}), **self.override_settings}
        return parse_txt2img({**found, **given, "override_settings": settings})

    def _sizes_by_their_older_names(self) -> dict[str, int]:
        first = (self.firstphase_width, self.firstphase_height)
        if first == (0, 0):
            return {}
        if 0 in first:
            raise InvalidRequest(
                "firstphase_width", "firstphase_width and firstphase_height go together; give both or none."
            )
        return {
            "width": first[0],
            "height": first[1],
            "hr_resize_x": self.width,
            "hr_resize_y": self.height,
        }


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
