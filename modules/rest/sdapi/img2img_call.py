"""What `/sdapi/v1/img2img` is called with: the request, and the fields that stand beside it in the field."""

from typing import Any

from pydantic import ConfigDict
from pydantic.config import JsonDict

from modules.generation import Img2ImgRequest
from modules.rest.pictures import EXAMPLE_PICTURE
from modules.rest.sdapi.calls import CallFields, request_of
from modules.settings import Options

__all__ = ["Img2ImgCall"]

EXAMPLE: JsonDict = {
    "init_images": [EXAMPLE_PICTURE],
    "prompt": "a red lighthouse",
    "denoising_strength": 0.6,
    "steps": 20,
    "width": 512,
    "height": 512,
}


class Img2ImgCall(CallFields, Img2ImgRequest):
    """An image-to-image request with all the field's names."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    def request(self, options: Options) -> Img2ImgRequest:
        """The request alone. Raises InvalidRequest for a value of its `infotext` that is out of bounds."""
        return request_of(self, Img2ImgRequest, options)

    def told_back(self) -> dict[str, Any]:
        """The call as its answer repeats it: without the pictures, unless they are asked for."""
        values = self.model_dump(mode="json")
        return values if self.include_init_images else values | {"init_images": None, "mask": None}
