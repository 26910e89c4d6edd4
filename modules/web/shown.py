"""What the page shows of a job: its pictures, their texts, and the line under them."""

import json
from typing import Any
from urllib.parse import quote

from modules.generation import MadePicture
from modules.house import House
from modules.jobs import Job
from modules.web.texts import infotext_html, job_log_html

__all__ = ["PAGE_CLIENT", "gallery_pictures", "jobs_of_tab", "latest_of_tab", "made_pictures", "shown_job"]

PAGE_CLIENT = "page"


def jobs_of_tab(house: House, tab: str) -> list[Job]:
    """Jobs that were sent from a tab of this name and have not ended, in the order in which they run."""
    unfinished = [*house.queue.running(), *house.queue.waiting()]
    return [job for job in unfinished if _is_from(job, tab)]


def latest_of_tab(house: House, tab: str) -> Job | None:
    """The newest finished job of a tab of whose pictures any is still there."""
    ended = [job for job in house.queue.jobs() if _is_from(job, tab) and job.state.is_final]
    newest_first = sorted(ended, key=lambda job: job.finished or 0.0, reverse=True)
    return next((job for job in newest_first if gallery_pictures(job)), None)


def _is_from(job: Job, tab: str) -> bool:
    return job.client == f"{PAGE_CLIENT} {tab}"


def made_pictures(job: Job) -> tuple[MadePicture, ...]:
    """The pictures in the gallery's order: a grid first.

    Of a job that runs or failed, those that were made so far.
    """
    return job.result.pictures if job.result else job.pictures


def gallery_pictures(job: Job) -> tuple[MadePicture, ...]:
    """Those of the made pictures whose files nobody has deleted or moved since."""
    return tuple(each for each in made_pictures(job) if each.file is None or each.file.exists())


def shown_job(job: Job, with_pictures: bool = True) -> dict[str, Any]:
    """All that a page needs to show `job`, running or ended, in one answer.

    `html` holds the text of each picture, so that the page never asks again to show another one of them.
    """
    pictures = gallery_pictures(job) if with_pictures else ()
    return {
        "id": job.id,
        "state": job.state,
        "is_final": job.state.is_final,
        "pictures": [_picture(job, picture) for picture in pictures],
        "html": [infotext_html(picture.infotext) for picture in pictures],
        "info": _info_of(job, pictures),
        "log": job_log_html(job),
    }


def _picture(job: Job, picture: MadePicture) -> dict[str, str]:
    """Where a picture is, below the page's address, and what it is called when it is downloaded.

    The address is quiet: a page that still shows a job which is forgotten meanwhile is in no error.
    """
    number = "grid" if picture.is_grid else str(picture.index)
    suffix = f".{job.run.options.samples_format}"
    name = picture.file.name if picture.file else f"{number}-{picture.seed}{suffix}"
    return {"url": f"easel/v1/jobs/{quote(job.id, safe='')}/pictures/{number}?quiet=true", "name": name}


def _info_of(job: Job, pictures: tuple[MadePicture, ...]) -> dict[str, Any]:
    """The field's facts about a job, with texts and seeds of its pictures in the gallery's order."""
    facts = json.loads(job.result.info_json()) if job.result else {}
    return {
        **facts,
        "task": job.id,
        "infotexts": [picture.infotext for picture in pictures],
        "gallery_seeds": [picture.seed for picture in pictures],
        "gallery_subseeds": [picture.subseed for picture in pictures],
    }
