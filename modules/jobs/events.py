"""Telling watchers that something about a job is new. The worker never waits for who reads."""

import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

__all__ = ["EventKind", "JobEvent", "JobEvents", "Subscription"]

LONGEST_MAILBOX = 2000


class EventKind(StrEnum):
    """What is new. The event says no more: who gets it reads the job."""

    STATE = "state"
    PROGRESS = "progress"
    PREVIEW = "preview"
    PICTURE = "picture"
    NOTE = "note"
    QUEUE = "queue"
    """The order of the waiting jobs, a pause, or so much that the watcher should look at everything anew."""
    SETTINGS = "settings"
    """Settings of the program are others; this is about no job."""


@dataclass(frozen=True)
class JobEvent:
    """Something is new with a job, or with the queue (`job_id` None). `number` grows with every event."""

    kind: EventKind
    job_id: str | None
    number: int


class Subscription:
    """One watcher's mailbox, to be used in a `with` statement.

    It holds at most one event of a kind for each job: who reads slowly gets the newest state and skips what
    lay between. `wake` is called when something arrives, in the thread it comes from; it must return at once
    (`lambda: loop.call_soon_threadsafe(event.set)`).
    """

    def __init__(self, events: "JobEvents", job_id: str | None, wake: Callable[[], None] | None) -> None:
        self._events, self._job_id, self._wake = events, job_id, wake
        self._arrived = threading.Condition()
        self._waiting: dict[tuple[EventKind, str | None], JobEvent] = {}
        self._closed = False

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come: it was closed, or the queue was."""
        return self._closed

    def next(self, timeout: float | None = None) -> JobEvent | None:
        """The oldest event that was not read, waiting up to `timeout` seconds; None when none came."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._arrived:
            while not self._waiting and not self._closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._arrived.wait(left)
            if not self._waiting:
                return None
            return self._waiting.pop(next(iter(self._waiting)))

    def close(self) -> None:
        """Want no more. Whoever waits in `next` gets None."""
        self._events.drop(self)
        self.end()

    def end(self) -> None:
        """Nothing more will come."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
        self._call_wake()

    def put(self, event: JobEvent) -> None:
        """Drop `event` into the mailbox if it is of interest. Never blocks for long."""
        if self._job_id is not None and event.job_id != self._job_id:
            return
        with self._arrived:
            if self._closed:
                return
            if len(self._waiting) >= LONGEST_MAILBOX:
                self._waiting.clear()
                event = JobEvent(EventKind.QUEUE, None, event.number)
            self._waiting[event.kind, event.job_id] = event
            self._arrived.notify_all()
        self._call_wake()

    def _call_wake(self) -> None:
        if self._wake is not None:
            # An event loop that has ended is its watcher's business, not the worker's.
            with suppress(RuntimeError):
                self._wake()


class JobEvents:
    """Hands every event to all who subscribed."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._closed = False

    def subscribe(self, job_id: str | None = None, wake: Callable[[], None] | None = None) -> Subscription:
        """A mailbox for the events of one job, or of all."""
        subscription = Subscription(self, job_id, wake)
        with self._lock:
            self._subscriptions += (subscription,)
        if self._closed:
            subscription.close()
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Send `subscription` no more."""
        with self._lock:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)

    def post(self, kind: EventKind, job_id: str | None = None) -> None:
        """Tell all who want to know."""
        event = JobEvent(kind, job_id, next(self._numbers))
        for subscription in self._subscriptions:
            subscription.put(event)

    def close(self) -> None:
        """End every subscription."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()
