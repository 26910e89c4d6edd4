"""The one who draws in another process or on another machine: an engine that is told by messages."""

import io
import logging
import os
import platform
import queue
from collections.abc import Callable

from PIL import Image

from modules.errors import EaselError
from modules.flags import Flags
from modules.folders import Folders
from modules.generation import Drawn, Engine, MadePicture, ModelFacts, StepReport, plan_run
from modules.jobs.work import Share
from modules.jobs.workers.messages import (
    Draw,
    Failed,
    Failure,
    Finished,
    Handed,
    Look,
    Noted,
    Previewed,
    Ready,
    Report,
    Skip,
    Stepped,
    Stop,
    Unfit,
    Wish,
)
from modules.workflows import MENU

__all__ = ["Say", "Servant", "open_servant"]

log = logging.getLogger(__name__)

Say = Callable[[Report], None]
"""Sends a report; it may block until there is room. Called by the thread that draws alone."""

PREVIEW_QUALITY = 90


class Servant:
    """Draws one share after another.

    One thread works, any other tells: a wish counts at the next step.
    """

    def __init__(self, engine: Engine, say: Say, place: str = "") -> None:
        """`place` is a sentence that is added to what was not found here."""
        self._engine, self._say, self._place = engine, say, place
        self._shares: queue.SimpleQueue[Draw | None] = queue.SimpleQueue()
        self._job_id = ""
        self.stopped = 0
        """All shares up to this number are to end."""
        self.skip: Skip | None = None
        self.look: Look | None = None

    def tell(self, wish: Wish) -> None:
        """Hear a wish. Returns at once, from any thread."""
        match wish:
            case Draw():
                self.stopped = max(self.stopped, wish.number - 1)
                self._shares.put(wish)
            case Stop():
                self.stopped = max(self.stopped, wish.number)
            case Skip():
                self.skip = wish
            case Look():
                self.look = wish

    def end(self) -> None:
        """Let `work` return after the shares that it was told of."""
        self._shares.put(None)

    def work(self) -> None:
        """Say that it is ready, then draw what comes, until the end."""
        self._say(Ready(os.getpid(), platform.node()))
        while wish := self._shares.get():
            self._say(self._outcome(wish.number, wish.share))

    def _outcome(self, number: int, share: Share) -> Report:
        try:
            return Finished(number, self._draw(number, share), self._hot)
        except Exception as error:
            if not isinstance(error, EaselError):
                log.exception("Job %s met an error that nobody foresaw", share.job_id)
            return Failed(number, Failure.of(error, self._place), self._hot)

    def _draw(self, number: int, share: Share) -> ModelFacts:
        if share.job_id != self._job_id:
            # Files that came since may be what the order means.
            self._engine.shelf.refresh()
            self._engine.vae_shelf.refresh()
            self._job_id = share.job_id

        def receive(drawn: Drawn) -> None:
            self._say(Handed(number, drawn))

        watcher = _Messenger(number, self, self._say)
        return self._engine.draw(plan_run(share.order), share.pictures, watcher, receive)

    @property
    def _hot(self) -> str | None:
        model = self._engine.model
        return model.checkpoint.title if model else None


class _Messenger:
    """Watches the engine at one share, on behalf of somebody far away."""

    def __init__(self, number: int, servant: Servant, say: Say) -> None:
        self._number, self._servant, self._say = number, servant, say
        self._batch = -1

    def on_step(self, report: StepReport) -> None:
        """Tell it."""
        self._batch = report.batch
        self._say(Stepped(self._number, report))

    def wants_preview(self, report: StepReport) -> bool:
        """Whether one was asked for since the last; the wish is fulfilled once."""
        if self._servant.look != Look(self._number):
            return False
        self._servant.look = None
        return True

    def on_preview(self, image: Image.Image) -> None:
        """Tell it, in few bytes."""
        file = io.BytesIO()
        image.save(file, "JPEG", quality=PREVIEW_QUALITY)
        self._say(Previewed(self._number, file.getvalue()))

    def on_picture(self, picture: MadePicture) -> None:
        """Who draws has no finished pictures."""

    def on_note(self, sentence: str) -> None:
        """Tell it."""
        self._say(Noted(self._number, sentence))

    def should_stop(self) -> bool:
        """Whether this share was to end, or a newer one came."""
        return self._servant.stopped >= self._number

    def should_skip(self) -> bool:
        """Whether the group that is drawn was to be skipped; the wish is fulfilled once."""
        if self._servant.skip != Skip(self._number, self._batch):
            return False
        self._servant.skip = None
        return True


def open_servant(flags: Flags, say: Say, place: str = "") -> Servant | None:
    """A servant with an engine of its own; None when there can be none, and then it has said why."""
    try:
        return Servant(Engine(Folders.from_flags(flags), flags, MENU), say, place)
    except Exception as error:
        if not isinstance(error, EaselError):
            log.exception("The worker cannot start")
        say(Unfit(Failure.of(error)))
        return None
