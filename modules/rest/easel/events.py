"""Watching by server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from modules.errors import NotFound
from modules.house import House
from modules.jobs import EventKind, Job, JobEvent
from modules.readings import READINGS
from modules.rest.easel.answers import QueueAnswer, SettingsNews, job_news
from modules.rest.mailbox import Mailbox

__all__ = ["EVENT_STREAM", "all_events", "job_events", "queue_answer", "stream"]

EVENT_STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 2.0
"""How often a job is told that somebody looks at its previews, however slow its steps are."""
HEARTBEAT = ": still here\n\n"
PACE_SECONDS = 0.1
"""Between two looks into the mailbox. What arrives meanwhile is told as the newest state alone."""


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An answer that goes on; proxies are asked not to collect it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type=EVENT_STREAM, headers=headers)


def queue_answer(house: House) -> QueueAnswer:
    """The order of the work now."""
    queue = house.queue
    return QueueAnswer(
        paused=queue.paused,
        running=[job.id for job in queue.running()],
        waiting=[job.id for job in queue.waiting()],
        held=[job.id for job in queue.held()],
        most=house.store.options.max_queue,
        left_alone=[each.sentence for each in READINGS.left_alone()],
    )


async def job_events(house: House, job: Job, previews: bool) -> AsyncIterator[str]:
    """What happens to `job`, from how it stands now until it ends. previews: ask for them to be made."""
    async with Mailbox(house.queue, job.id) as mailbox:
        news, number = job_news(job), 0
        yield _message(EventKind.STATE, number, news)
        while not news.state.is_final and not mailbox.is_closed:
            if previews:
                job.look_at_preview()
            arrived = await mailbox.arrived(LOOK_SECONDS if previews else HEARTBEAT_SECONDS, PACE_SECONDS)
            for event in arrived:
                news, number = job_news(job), event.number
                yield _message(event.kind, number, news)
            if not arrived:
                yield HEARTBEAT
        if job.state.is_final and not news.state.is_final:
            yield _message(EventKind.STATE, number + 1, job_news(job))


async def all_events(house: House) -> AsyncIterator[str]:
    """What happens to all jobs and to the queue, until the program ends."""
    async with Mailbox(house.queue) as mailbox:
        yield _message(EventKind.QUEUE, 0, queue_answer(house))
        while not mailbox.is_closed:
            arrived = await mailbox.arrived(HEARTBEAT_SECONDS, PACE_SECONDS)
            for event in arrived:
                yield _news(house, event)
            if not arrived and not mailbox.is_closed:
                yield HEARTBEAT


def _news(house: House, event: JobEvent) -> str:
    """The event as it is told; that something happened to a job which was forgotten since is news of the
    queue.
    """
    if event.kind is EventKind.SETTINGS:
        checkpoint = house.store.options.sd_model_checkpoint or ""
        return _message(event.kind, event.number, SettingsNews(checkpoint=checkpoint))
    if event.job_id is not None:
        with suppress(NotFound):
            return _message(event.kind, event.number, job_news(house.queue.get(event.job_id)))
    return _message(EventKind.QUEUE, event.number, queue_answer(house))


def _message(kind: EventKind, number: int, data: BaseModel) -> str:
    return f"id: {number}\nevent: {kind.value}\ndata: {data.model_dump_json()}\n\n"
