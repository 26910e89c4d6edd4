"""Waiting for what happens to jobs, without a thread for each who waits."""

import asyncio
import time
from contextlib import suppress

from modules.jobs import Job, JobEvent, JobQueue

__all__ = ["Mailbox", "has_ended_within"]


class Mailbox:
    """The events of one job, or of all, for a coroutine. Reading it never holds up who writes.

    To be used in an `async with` statement.
    """

    def __init__(self, queue: JobQueue, job_id: str | None = None) -> None:
        self._queue, self._job_id = queue, job_id
        self._bell = asyncio.Event()

    async def __aenter__(self) -> "Mailbox":
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop may have been closed meanwhile
                loop.call_soon_threadsafe(self._bell.set)

        self._subscription = self._queue.subscribe(self._job_id, wake)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._subscription.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._subscription.is_closed

    async def arrived(self, seconds: float, pace: float = 0.0) -> list[JobEvent]:
        """What came since the last look, as soon as there is something; after `seconds` nothing.

        pace: seconds that it goes on collecting once there is something.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), seconds)
            await asyncio.sleep(pace)
        self._bell.clear()
        events = []
        while event := self._subscription.next(timeout=0):
            events.append(event)
        return sorted(events, key=lambda event: event.number)


async def has_ended_within(seconds: float, queue: JobQueue, job: Job) -> bool:
    """Whether `job` has ended: as soon as it has, or after `seconds`."""
    latest = time.monotonic() + seconds
    async with Mailbox(queue, job.id) as mailbox:
        while not job.ended.is_set() and (left := latest - time.monotonic()) > 0:
            await mailbox.arrived(left)
    return job.ended.is_set()
