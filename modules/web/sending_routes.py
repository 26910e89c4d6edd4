"""The route that gives back the pictures which a job starts from: they are sent to their tab again."""

import base64
from typing import Any

from fastapi import APIRouter
from PIL import Image

from modules.door import Router
from modules.errors import NotFound
from modules.generation import Img2ImgRequest, InputFiles
from modules.house import House
from modules.imaging import decode_picture, picture_file

__all__ = ["sending_routes"]


def sending_routes(house: House) -> APIRouter:
    """The route of this file, bound to `house`."""
    router = Router(prefix="/internal/web", include_in_schema=False)
    files = InputFiles(house.folders.inputs)

    @router.get("/job-pictures")
    def job_pictures(job: str) -> dict[str, Any]:
        """The first picture of the job and its mask, if it has one, as data URLs."""
        request = house.queue.get(job).order.request
        if not isinstance(request, Img2ImgRequest):
            raise NotFound("This job starts from no picture.")
        found = files.brought_back(request)
        mask = _data_url("mask", found.mask) if found.mask else None
        return {"picture": _data_url("init_images", found.init_images[0]), "mask": mask}

    return router


def _data_url(field: str, text: str) -> str:
    """The picture in base64 `text` under the head that browsers want."""
    media_type = Image.MIME.get(decode_picture(field, text).format or "", "application/octet-stream")
    return f"data:{media_type};base64,{base64.b64encode(picture_file(text)).decode('ascii')}"
