"""Reading the generation text out of a picture."""

from fastapi import APIRouter

from modules.door import Router
from modules.imaging import decode_picture, png_info
from modules.rest.errors import error_statuses
from modules.rest.pictures import GivenPictures
from modules.rest.sdapi.answers import PngInfoAnswer, PngInfoQuestion

__all__ = ["png_info_routes"]


def png_info_routes(given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to the pictures that calls give."""
    router = Router(prefix="/sdapi/v1", tags=["pictures"])

    @router.post("/png-info", responses=error_statuses(422, 429))
    def read(question: PngInfoQuestion) -> PngInfoAnswer:
        """The text that a picture carries, and its values by name."""
        found = png_info(decode_picture("image", given.text("image", question.image)))
        return PngInfoAnswer(info=found.info, items=found.items, parameters=found.parameters)

    return router
