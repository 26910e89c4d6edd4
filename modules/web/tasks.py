"""From the form to a job and from a finished job back to the page. Every event here returns at once."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError, NotFound
from modules.generation import MadePicture
from modules.house import House
from modules.jobs import Job
from modules.web.form import Form
from modules.web.texts import error_html, infotext_html, job_log_html

__all__ = ["PAGE_CLIENT", "Tasks", "gallery_pictures", "jobs_of_tab", "latest_of_tab"]

log = logging.getLogger(__name__)

PAGE_CLIENT = "page"


def jobs_of_tab(house: House, tab: str) -> list[Job]:
    """Jobs that were sent from a tab of this name and have not ended, first come first."""
    return [job for job in house.queue.jobs() if _is_from(job, tab) and not job.state.is_final]


def latest_of_tab(house: House, tab: str) -> Job | None:
    """The newest finished job of a tab that made any picture."""
    ended = [job for job in house.queue.jobs() if _is_from(job, tab) and job.state.is_final]
    made = [job for job in ended if job.pictures]
    return max(made, key=lambda job: job.finished or 0.0, default=None)


def _is_from(job: Job, tab: str) -> bool:
    return job.client == f"{PAGE_CLIENT} {tab}"


def gallery_pictures(job: Job) -> tuple[MadePicture, ...]:
    """The pictures in the gallery's order: a grid first.

    Of a job that failed, those that were made before.
    """
    return job.result.pictures if job.result else job.pictures


def info_of(job: Job) -> dict[str, Any]:
    """What the page keeps of a job: texts and seeds of its pictures in the gallery's order."""
    facts = json.loads(job.result.info_json()) if job.result else {}
    pictures = gallery_pictures(job)
    return {
        **facts,
        "task": job.id,
        "infotexts": [picture.infotext for picture in pictures],
        "gallery_seeds": [picture.seed for picture in pictures],
        "gallery_subseeds": [picture.subseed for picture in pictures],
    }


class Tasks:
    """The events of one generation tab that deal with jobs."""

    def __init__(self, house: House, form: Form) -> None:
        self._house = house
        self._form = form

    def submit(self, task_id: str, *values: Any) -> tuple[str, Any]:
        """Send the form's request to the queue; the ticket (JSON) that the page follows, and what to say
        below the gallery.
        """
        try:
            request = self._form.request(values, task_id)
            job = self._house.submit_txt2img(request, client=f"{PAGE_CLIENT} {self._form.tab}", save=True)
        except EaselError as error:
            return json.dumps({"id": task_id, "error": str(error)}), error_html(str(error))
        except Exception as error:  # The page's edge: the form keeps its values whatever fails.
            log.exception("A request of the page failed")
            sentence = (
                f"The request could not be planned ({type(error).__name__}: {error}). The log tells more."
            )
            return json.dumps({"id": task_id, "error": sentence}), error_html(sentence)
        return json.dumps({"id": job.id}), gr.skip()

    def collect(self, task_id: str) -> Sequence[Any]:
        """Gallery, JSON of the texts and seeds, the first text, and the closing line of a finished job."""
        try:
            job = self._house.queue.get(task_id)
        except NotFound as error:
            return gr.skip(), gr.skip(), gr.skip(), error_html(str(error))
        pictures = gallery_pictures(job)
        if not pictures or self._house.store.options.do_not_show_images:
            return gr.skip(), gr.skip(), gr.skip(), job_log_html(job)
        gallery = gr.update(value=[self._shown(picture) for picture in pictures], selected_index=0)
        first = infotext_html(pictures[0].infotext)
        return gallery, json.dumps(info_of(job), ensure_ascii=False), first, job_log_html(job)

    def _shown(self, picture: MadePicture) -> Any:
        """The saved file where the page may read it, else the picture itself."""
        path = picture.path
        is_served = path is not None and path.is_relative_to(self._house.folders.outputs) and path.exists()
        return str(path) if is_served else picture.pixels()

    def show_info(self, index: int | None, info: str) -> str:
        """The text of the picture at `index` of the gallery."""
        texts = json.loads(info or "{}").get("infotexts", [])
        chosen = texts[index or 0] if 0 <= (index or 0) < len(texts) else ""
        return infotext_html(chosen)

    def interrupt(self, task_id: str | None) -> None:
        """Stop the job that the page follows, or the running one if it follows none."""
        try:
            self._house.queue.interrupt(task_id or None)
        except NotFound:
            self._house.queue.interrupt()

    def skip(self) -> None:
        """Let the running job go on with its next batch."""
        self._house.queue.skip()
