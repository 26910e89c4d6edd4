"""What `/sdapi/v1/txt2img` is called with: the request, and the fields that stand beside it in the field."""

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from modules.errors import InvalidRequest
from modules.generation import Txt2ImgRequest
from modules.rest.sdapi.calls import CallFields, request_of
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


class Txt2ImgCall(CallFields, Txt2ImgRequest):
    """A text-to-image request with all the field's names."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    firstphase_width: int = Field(
        0, ge=0, le=8192, description="Older name: width before the hires pass, `width` being the final one."
    )
    firstphase_height: int = Field(0, ge=0, le=8192, description="As firstphase_width.")

    def request(self, options: Options) -> Txt2ImgRequest:
        """The request alone. Raises InvalidRequest for a value of its `infotext` that is out of bounds."""
        return request_of(self, Txt2ImgRequest, options, **self._sizes_by_their_older_names())

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
