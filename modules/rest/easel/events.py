"""Watching by server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from modules.errors import NotFound
from modules.house import House
from modules.jobs import EventKind, Job, JobEvent, Subscription
from modules.rest.easel.answers import QueueAnswer, job_news

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
    )


async def job_events(house: House, job: Job, previews: bool) -> AsyncIterator[str]:
    """What happens to `job`, from how it stands now until it ends. previews: ask for them to be made."""
    mailbox = _Mailbox(lambda wake: house.queue.subscribe(job.id, wake))
    async with mailbox:
        news, number = job_news(job), 0
        yield _message(EventKind.STATE, number, news)
        while not news.state.is_final and not mailbox.is_closed:
            if previews:
                job.look_at_preview()
            arrived = await mailbox.arrived(LOOK_SECONDS if previews else HEARTBEAT_SECONDS)
            for event in arrived:
                news, number = job_news(job), event.number
                yield _message(event.kind, number, news)
            if not arrived:
                yield HEARTBEAT
        if job.state.is_final and not news.state.is_final:
            yield _message(EventKind.STATE, number + 1, job_news(job))


async def all_events(house: House) -> AsyncIterator[str]:
    """What happens to all jobs and to the queue, until the program ends."""
    mailbox = _Mailbox(lambda wake: house.queue.subscribe(None, wake))
    async with mailbox:
        yield _message(EventKind.QUEUE, 0, queue_answer(house))
        while not mailbox.is_closed:
            arrived = await mailbox.arrived(HEARTBEAT_SECONDS)
            for event in arrived:
                yield _message(event.kind, event.number, _news(house, event))
            if not arrived and not mailbox.is_closed:
                yield HEARTBEAT


def _news(house: House, event: JobEvent) -> BaseModel:
    if event.job_id is not None:
        with suppress(NotFound):
            return job_news(house.queue.get(event.job_id))
    return queue_answer(house)


def _message(kind: EventKind, number: int, data: BaseModel) -> str:
    return f"id: {number}\nevent: {kind.value}\ndata: {data.model_dump_json()}\n\n"


class _Mailbox:
    """A subscription that is waited for without a thread. Reading it never holds up who writes."""

    def __init__(self, subscribe: Callable[[Callable[[], None]], Subscription]) -> None:
        self._subscribe = subscribe
        self._bell = asyncio.Event()

    async def __aenter__(self) -> "_Mailbox":
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop may have been closed meanwhile
                loop.call_soon_threadsafe(self._bell.set)

        self._subscription = self._subscribe(wake)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._subscription.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._subscription.is_closed

    async def arrived(self, seconds: float) -> list[JobEvent]:
        """What came since the last look, as soon as there is something; after `seconds` nothing."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), seconds)
            await asyncio.sleep(PACE_SECONDS)
        self._bell.clear()
        events = []
        while event := self._subscription.next(timeout=0):
            events.append(event)
        return sorted(events, key=lambda event: event.number)
