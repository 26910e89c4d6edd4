"""Sessions that were ended before their time, kept in the database by digest until they run out."""

import logging
from collections.abc import Callable

from modules.errors import EaselError
from modules.jobs.store import JobStore

__all__ = ["EndedSessions"]

log = logging.getLogger(__name__)


class EndedSessions:
    """Keeps digests of sessions' tokens beside the jobs; `store` opens the database when first asked."""

    def __init__(self, store: Callable[[], JobStore]) -> None:
        self._store = store

    def load(self, now: float) -> dict[str, float] | None:
        """The digests that are kept, with the moment when each session runs out by itself; None when they
        cannot be read now.
        """
        try:
            return self._store().ended_sessions(now)
        except EaselError as error:
            log.warning("Which sessions were ended cannot be read: %s", error)
            return None

    def add(self, digest: str, until: float) -> None:
        """Keep one more; later, if the database cannot be written now."""
        try:
            self._store().end_session(digest, until)
        except EaselError as error:
            log.warning("That a session was ended cannot be kept: %s", error)
