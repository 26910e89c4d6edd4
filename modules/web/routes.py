"""Routes that only the page needs: what runs, taking waiting work back, the text of a dropped picture."""

import io
from typing import Any

from fastapi import APIRouter, Body, UploadFile
from PIL import Image

from modules.errors import InvalidRequest
from modules.house import House
from modules.imaging import png_info
from modules.web.tasks import jobs_of_tab, latest_of_tab

__all__ = ["page_routes"]


def page_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = APIRouter(prefix="/internal/web", include_in_schema=False)

    @router.get("/jobs")
    def jobs(tab: str) -> dict[str, Any]:
        """Ids of the tab's jobs that run or wait, first come first, and of the newest that ended."""
        latest = latest_of_tab(house, tab)
        return {"open": [job.id for job in jobs_of_tab(house, tab)], "latest": latest.id if latest else None}

    @router.post("/cancel")
    def cancel(ids: list[str] = Body()) -> dict[str, int]:  # noqa: B008
        """Take back jobs that wait; how many there were."""
        waiting = [job for job in house.queue.waiting() if job.id in ids]
        for job in waiting:
            house.queue.interrupt(job.id)
        return {"cancelled": len(waiting)}

    @router.post("/picture-text")
    def picture_text(picture: UploadFile) -> dict[str, str]:
        """The generation text that a picture file carries."""
        try:
            with Image.open(io.BytesIO(picture.file.read())) as image:
                return {"info": png_info(image).info}
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InvalidRequest(
                "picture", f"{picture.filename} cannot be read as a picture: {error}."
            ) from error

    return router
