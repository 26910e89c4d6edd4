"""The queue's side of the talk with a worker elsewhere, whatever carries the messages."""

import io
from typing import Protocol

from PIL import Image

from modules.generation import Receive, Watcher
from modules.jobs.work import Share
from modules.jobs.workers.messages import (
    Draw,
    Failed,
    Finished,
    Handed,
    Look,
    Noted,
    Previewed,
    Report,
    Skip,
    Stepped,
    Stop,
    Wish,
)

__all__ = ["Link", "LinkLost", "converse"]

WISHES_EVERY_SECONDS = 0.05


class LinkLost(Exception):
    """Nobody is at the other end any more."""


class Link(Protocol):
    """A way to a worker and back. Used by one thread at a time."""

    def send(self, wish: Wish) -> None:
        """Say something. Raises LinkLost."""

    def receive(self, seconds: float) -> Report | None:
        """What the worker said; None when it said nothing for so long. Raises LinkLost."""


def converse(link: Link, number: int, share: Share, watcher: Watcher, receive: Receive) -> Finished | Failed:
    """Have share number `number` drawn at the other end of `link`, and return how it ended.

    Raises LinkLost, and what `watcher` and `receive` raise; then the worker is told to stop.
    """
    link.send(Draw(number, share))
    listener = _Listener(link, number, watcher, receive)
    try:
        while True:
            listener.pass_wishes_on()
            report = link.receive(WISHES_EVERY_SECONDS)
            if isinstance(report, Finished | Failed) and report.number == number:
                return report
            if report is not None:
                listener.hear(report)
    except LinkLost:
        raise
    except Exception:
        link.send(Stop(number))
        raise


class _Listener:
    """Hands on what a worker says, and tells it what the watcher wishes."""

    def __init__(self, link: Link, number: int, watcher: Watcher, receive: Receive) -> None:
        self._link, self._number = link, number
        self._watcher, self._receive = watcher, receive
        self._batch = -1
        self._stopped = False

    def pass_wishes_on(self) -> None:
        """Tell the worker to stop, once, or to skip what it draws now."""
        if not self._stopped and self._watcher.should_stop():
            self._stopped = True
            self._link.send(Stop(self._number))
        if self._watcher.should_skip():
            self._link.send(Skip(self._number, self._batch))

    def hear(self, report: Report) -> None:
        """Hand one report on; those about older shares are dropped."""
        if getattr(report, "number", None) != self._number:
            return
        match report:
            case Stepped():
                self._batch = report.report.batch
                self._watcher.on_step(report.report)
                if self._watcher.wants_preview(report.report):
                    self._link.send(Look(self._number))
            case Previewed():
                with Image.open(io.BytesIO(report.jpeg)) as image:
                    image.load()
                    self._watcher.on_preview(image)
            case Noted():
                self._watcher.on_note(report.sentence)
            case Handed():
                self._receive(report.drawn)
