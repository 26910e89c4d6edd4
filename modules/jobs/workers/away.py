"""What all workers elsewhere have in common: a servant at the end of a link, started again when lost."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from modules.generation import ModelFacts, Receive, Watcher
from modules.jobs.work import Share, WorkerLost
from modules.jobs.workers.conversation import Link, LinkLost, converse
from modules.jobs.workers.messages import Failed, Ready, Unfit

__all__ = ["Launch", "Post", "WorkerAway"]

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
START_SECONDS = 300.0
POLL_SECONDS = 0.25


class Post(Link, Protocol):
    """A started servant: the link to it, and its end."""

    def fate(self) -> str:
        """How it ended, as a clause for a sentence: "was killed by signal 9". Asked after LinkLost."""

    def kill(self) -> None:
        """End it, whatever it does; from any thread, and as often as one likes."""


Launch = Callable[[], Post]
"""Starts a servant and returns at once. Raises LinkLost, with the reason, where that is not possible now."""


class WorkerAway:
    """Draws by a servant elsewhere. `draw` and `ready` belong to one thread, `close` to any."""

    def __init__(self, name: str, launch: Launch) -> None:
        self._name, self._launch = name, launch
        self._post: Post | None = None
        self._is_up = False
        self._process: int | None = None
        self._hot: str | None = None
        self._shares = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._closing = threading.Event()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """For the log and the page."""
        return self._name

    @property
    def hot(self) -> str | None:
        """Title of the checkpoint that was loaded after the last share."""
        return self._hot

    @property
    def process(self) -> int | None:
        """The number of the process that draws, on whatever machine; None while there is none."""
        return self._process if self._is_up else None

    def start(self) -> None:
        """Start the servant, unless it is started or has to wait after a failure; returns at once."""
        with self._lock:
            if self._post or self._closing.is_set() or time.monotonic() < self._not_before:
                return
            try:
                self._post = self._launch()
            except LinkLost as error:
                self._wait_longer(str(error))

    def ready(self, seconds: float) -> bool:
        """Get ready to draw, for at most so many seconds; False: not yet, or closed."""
        end = time.monotonic() + seconds
        while not self._is_ready(max(end - time.monotonic(), 0.0)):
            if self._closing.is_set() or time.monotonic() >= end:
                return False
        return True

    def _is_ready(self, seconds: float) -> bool:
        self.start()
        post = self._post
        if post is None or self._closing.is_set():
            self._closing.wait(seconds)
            return False
        try:
            report = post.receive(0.0 if self._is_up else seconds)
        except LinkLost:
            self._lost("before it was given work")
            return False
        if isinstance(report, Unfit):
            log.error("The worker %s cannot start: %s", self._name, report.failure.sentence)
        if isinstance(report, Ready):
            self._is_up, self._process = True, report.process
            log.info("Worker %s is ready: process %d on %s", self._name, report.process, report.machine)
        return self._is_up

    def draw(self, share: Share, watcher: Watcher, receive: Receive) -> ModelFacts:
        """Have the share drawn. Raises WorkerLost when the servant dies or does not start, and what the
        engine raises.
        """
        post = self._started()
        self._shares += 1
        try:
            outcome = converse(post, self._shares, share, watcher, receive)
        except LinkLost:
            raise WorkerLost(self._lost("while it drew")) from None
        self._hot, self._pause = outcome.hot, FIRST_PAUSE_SECONDS
        if isinstance(outcome, Failed):
            raise outcome.failure.error()
        return outcome.facts

    def _started(self) -> Post:
        end = time.monotonic() + START_SECONDS
        while not self.ready(POLL_SECONDS):
            if self._closing.is_set() or time.monotonic() > end:
                raise WorkerLost(f"The worker {self._name} could not be started.")
        assert self._post
        return self._post

    def _lost(self, when: str) -> str:
        """The servant is gone; the sentence that says so. The next start is a new one's."""
        with self._lock:
            post, was_up = self._post, self._is_up
            self._post, self._is_up, self._hot = None, False, None
            sentence = f"The worker {self._name} was lost {when}."
            if post:
                sentence = f"The worker {self._name} {post.fate()} {when}."
                post.kill()
            if not was_up:
                self._wait_longer(sentence)
            elif not self._closing.is_set():
                log.warning("%s It is started again.", sentence)
        self.start()
        return sentence

    def _wait_longer(self, sentence: str) -> None:
        self._not_before = time.monotonic() + self._pause
        if not self._closing.is_set():
            log.warning("%s The next try is in %.0f s.", sentence, self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """End it, whatever it does."""
        self._closing.set()
        with self._lock:
            if self._post:
                self._post.kill()
