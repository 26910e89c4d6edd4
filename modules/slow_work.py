"""Work that takes long, in threads of its own: those that answer everybody are never held up by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from modules.errors import TooBusy

__all__ = ["SlowWork"]

P = ParamSpec("P")
R = TypeVar("R")


class SlowWork:
    """A few threads and a bounded queue before them. Who waits is a coroutine, and holds no thread."""

    def __init__(self, what: str, threads: int, most: int) -> None:
        """`what` is done, for the sentence of a refusal; `most`: that run or wait at a time."""
        self._what, self._most = what, most
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="easel-slow")
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many run or wait."""
        return self._taken

    async def run(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """What `work` returns, or raises. Raises TooBusy where too many wait already."""
        with self._lock:
            if self._taken >= self._most:
                raise TooBusy(f"{self._taken} calls wait already for {self._what}")
            self._taken += 1
        try:
            future = self._threads.submit(partial(work, *arguments, **named))
        except BaseException:
            self._give_back(None)
            raise
        # Of a caller who goes away what has not begun is taken back.
        future.add_done_callback(self._give_back)
        return await asyncio.wrap_future(future)

    def route(self, endpoint: Callable[P, R]) -> Callable[P, Awaitable[R]]:
        """The endpoint of a route, run here in the place of the threads that answer everybody."""

        @wraps(endpoint)
        async def run(*arguments: P.args, **named: P.kwargs) -> R:
            return await self.run(endpoint, *arguments, **named)

        return run

    def close(self) -> None:
        """Begin no more; what has begun comes to its end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _give_back(self, _: Future[R] | None) -> None:
        with self._lock:
            self._taken -= 1
