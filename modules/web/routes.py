"""Routes that only the page needs: sending a form, what is shown of a job, the text of a dropped picture."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Body, UploadFile
from pydantic import BaseModel, Field

from modules.door import Router
from modules.errors import InvalidRequest, NotFound
from modules.house import House
from modules.imaging import open_picture, png_info
from modules.web.form_requests import request_of_form
from modules.web.setting_choices import SettingChoices
from modules.web.shown import PAGE_CLIENT, jobs_of_tab, latest_of_tab, shown_job

__all__ = ["page_routes"]


class SentForm(BaseModel):
    """The values of a tab's controls, by the request's field names."""

    tab: str = Field(max_length=40)
    task: str = Field(max_length=80)
    values: dict[str, Any]


def page_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/internal/web", include_in_schema=False)

    @router.post("/submit")
    @house.reading.route
    def submit(form: SentForm) -> dict[str, str]:
        """Queue what the form asks for. The same task again, after an answer was lost, is the same job."""
        request = request_of_form(form.tab, form.values, form.task)
        job = house.submit_request(request, client=f"{PAGE_CLIENT} {form.tab}", save=True)
        return {"id": job.id}

    @router.put("/edit")
    @house.reading.route
    def edit(form: SentForm) -> dict[str, str]:
        """Give a waiting job, whose id is the form's task, what the form asks for. It keeps its turn."""
        is_saved = house.queue.get(form.task).order.save
        house.queue.edit(form.task, house.order(request_of_form(form.tab, form.values), is_saved))
        return {"id": form.task}

    @router.get("/shown")
    def shown(task: str) -> dict[str, Any] | None:
        """The pictures of a job that are there by now, their texts, and the line under them; nothing of a
        job that is forgotten, as may happen between its end and the question.
        """
        with suppress(NotFound):
            return shown_job(house, house.queue.get(task))
        return None

    @router.get("/jobs")
    def jobs(tab: str) -> dict[str, Any]:
        """Ids of the tab's jobs that run or wait, first come first, and of the newest that ended."""
        latest = latest_of_tab(house, tab)
        return {"open": [job.id for job in jobs_of_tab(house, tab)], "latest": latest.id if latest else None}

    @router.get("/setting-choices")
    def setting_choices(anew: bool = False) -> dict[str, Sequence[str]]:
        """What the settings that name files can be chosen from, by key."""
        return SettingChoices(house).of_files(anew=anew)

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
            with open_picture("picture", picture.file.read()) as image:
                return {"info": png_info(image).info}
        except (OSError, ValueError, SyntaxError) as error:
            raise InvalidRequest(
                "picture", f"{picture.filename} cannot be read as a picture: {error}."
            ) from error

    return router
