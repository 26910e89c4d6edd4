"""What the page shows of a job: its pictures, their texts, and the line under them."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from modules.generation import MadePicture
from modules.house import House
from modules.jobs import Job
from modules.web.texts import infotext_html, job_log_html, notice_html

__all__ = ["PAGE_CLIENT", "gallery_of", "jobs_of_tab", "latest_of_tab", "made_pictures", "shown_job"]

PAGE_CLIENT = "page"
MOST_JOBS_OF_BATCH = 200
"""Jobs of a batch whose pictures are in the gallery at a time: the newest."""

ShownPicture = tuple[Job, MadePicture]


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


def gallery_of(house: House, job: Job) -> tuple[ShownPicture, ...]:
    """What the gallery shows with `job`: its pictures; of a job of a batch those of the batch so far."""
    jobs = house.batches.jobs_until(job.id, MOST_JOBS_OF_BATCH) or [job]
    return tuple((each, picture) for each in jobs for picture in gallery_pictures(each))


def shown_job(house: House, job: Job) -> dict[str, Any]:
    """All that a page needs to show `job`, running or ended, in one answer: of a job of a batch, the batch.

    `html` holds the text of each picture, so that the page never asks again to show another one of them.
    """
    shown = () if house.store.options.do_not_show_images else gallery_of(house, job)
    batch = house.batches.of_job(job.id)
    return {
        "id": f"batch {batch.id}" if batch else job.id,
        "task": job.id,
        "state": job.state,
        "is_final": job.state.is_final and not (batch and batch.state.is_active),
        "pictures": [_picture(each, picture) for each, picture in shown],
        "html": [infotext_html(picture.infotext) for _, picture in shown],
        "info": _info_of(job, [picture for _, picture in shown]),
        "log": (notice_html(f"Batch: {batch.summary}.") if batch else "") + job_log_html(job),
    }


def _picture(job: Job, picture: MadePicture) -> dict[str, str]:
    """Where a picture is, below the page's address, and what it is called when it is downloaded.

    The address is quiet: a page that still shows a job which is forgotten meanwhile is in no error.
    """
    number = "grid" if picture.is_grid else str(picture.index)
    suffix = f".{job.run.options.samples_format}"
    name = picture.file.name if picture.file else f"{number}-{picture.seed}{suffix}"
    return {"url": f"easel/v1/jobs/{quote(job.id, safe='')}/pictures/{number}?quiet=true", "name": name}


def _info_of(job: Job, pictures: Sequence[MadePicture]) -> dict[str, Any]:
    """The field's facts about a job, with texts and seeds of its pictures in the gallery's order."""
    facts = json.loads(job.result.info_json()) if job.result else {}
    return {
        **facts,
        "task": job.id,
        "infotexts": [picture.infotext for picture in pictures],
        "gallery_seeds": [picture.seed for picture in pictures],
        "gallery_subseeds": [picture.subseed for picture in pictures],
    }
