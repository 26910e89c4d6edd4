"""Routes that only the page needs: what runs, taking waiting work back, the text of a dropped picture."""

import io
from typing import Any

from fastapi import APIRouter, Body, UploadFile
from PIL import Image

from modules.errors import InvalidRequest, NotFound
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

    @router.get("/jobs/{job_id}/step")
    def step(job_id: str) -> dict[str, Any]:
        """Network steps of a job: done and in all, zeros before it begins; and the newest note about it."""
        try:
            job = house.queue.get(job_id)
        except NotFound:
            return {"done": 0, "total": 0, "note": ""}
        report, note = job.report, job.notes[-1] if job.notes else ""
        return {"done": report.done if report else 0, "total": report.total if report else 0, "note": note}

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
