"""The bench: merges and conversions in the background, one after another, while pictures are drawn."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from modules.errors import EaselError, NotFound
from modules.merging.plan import DryRun, MergePlan, MergeResult
from modules.merging.running import run_merge
from modules.merging.watching import MergeStopped

__all__ = ["MergeBench", "MergeRefused", "MergeState", "MergeTask"]

log = logging.getLogger(__name__)

MOST_REMEMBERED = 50
"""Tasks that have ended and are still told about."""
SMALLEST_SHARE = 0.02
"""Of a stage that is done, before anything is said about its end."""


class MergeRefused(EaselError):
    """What was planned cannot be done as things are: a file is in the way, the disk too small."""


class MergeState(StrEnum):
    """How far a task is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_open(self) -> bool:
        """Whether there is anything left to happen."""
        return self in (MergeState.WAITING, MergeState.RUNNING)


class MergeTask:
    """A merge or conversion that was begun, as it stands; it is the watcher of its own run."""

    def __init__(self, plan: MergePlan) -> None:
        self.id = secrets.token_hex(8)
        self.path = plan.path
        self.dry_run: DryRun = plan.dry_run
        self.created = time.time()
        self.state = MergeState.WAITING
        self.stage = ""
        self.share = 0.0
        self.result: MergeResult | None = None
        self.error: EaselError | None = None
        self._begun = self._stage_begun = self._elapsed = 0.0
        self._plan: MergePlan | None = plan
        self._stopping = threading.Event()

    @property
    def elapsed(self) -> float:
        """Seconds of work on it, until now."""
        is_running = self.state is MergeState.RUNNING
        return time.monotonic() - self._begun if is_running else self._elapsed

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the stage ends, once that can be told."""
        if self.state is not MergeState.RUNNING or self.share < SMALLEST_SHARE:
            return None
        return (time.monotonic() - self._stage_begun) / self.share * (1 - self.share)

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """What goes on, and how many bytes of it are done."""
        if stage != self.stage:
            self._stage_begun = time.monotonic()
        self.stage, self.share = stage, done / max(total, 1)

    def should_stop(self) -> bool:
        """Whether somebody interrupted it."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let it end as soon as it looks."""
        self._stopping.set()
        if self.state is MergeState.WAITING:
            self.state = MergeState.INTERRUPTED

    def work(self, on_done: Callable[[], None]) -> None:
        """Write the file; what goes wrong stands in `error`. `on_done` is called before it counts as done."""
        # A plan lists every tensor, and is not needed any more.
        plan, self._plan = self._plan, None
        if plan is None or self.should_stop():
            return
        self.state, self._begun = MergeState.RUNNING, time.monotonic()
        try:
            self.result = run_merge(plan, self)
            on_done()
            ending = MergeState.DONE
        except MergeStopped:
            ending = MergeState.INTERRUPTED
        except EaselError as error:
            self.error, ending = error, MergeState.FAILED
        except Exception as error:
            log.exception("Writing %s met an error that nobody foresaw", self.path)
            self.error, ending = _unforeseen(error), MergeState.FAILED
        self._elapsed = time.monotonic() - self._begun
        self.state = ending


def _unforeseen(error: Exception) -> EaselError:
    return EaselError(
        f"The program met an error that it did not expect ({type(error).__name__}: {error}). The log has the "
        "details."
    )


class MergeBench:
    """The tasks, for any number of threads. `on_done` is called when there is a new file."""

    def __init__(self, on_done: Callable[[], None]) -> None:
        self._on_done = on_done
        self._tasks: dict[str, MergeTask] = {}
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="easel-merge")

    def begin(self, plan: MergePlan) -> MergeTask:
        """Begin what was planned as soon as what was begun before has ended.

        Raises MergeRefused for what the plan says cannot be, and for a file that another task is about to
        write; EaselError when the program ends.
        """
        if plan.dry_run.refusal:
            raise MergeRefused(plan.dry_run.refusal)
        task = MergeTask(plan)
        with self._lock:
            if any(each.state.is_open and each.path == plan.path for each in self._tasks.values()):
                raise MergeRefused(f"{plan.path.name} is being written already. Choose another name.")
            self._tasks[task.id] = task
            ended = [each for each in self._tasks.values() if not each.state.is_open]
            for old in ended[: max(len(ended) - MOST_REMEMBERED, 0)]:
                del self._tasks[old.id]
        try:
            self._thread.submit(task.work, self._on_done)
        except RuntimeError as error:
            raise EaselError("The program is being closed and takes no more work.") from error
        return task

    def all(self) -> list[MergeTask]:
        """Those that are remembered, oldest first."""
        with self._lock:
            return list(self._tasks.values())

    def get(self, task_id: str) -> MergeTask:
        """The task with this id. Raises NotFound when there is none (any more)."""
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None:
            raise NotFound(f"There is no merge {task_id!r}; it may have been forgotten after newer ones.")
        return task

    def interrupt(self, task_id: str) -> MergeTask:
        """End a task; no file is left of it. One that has ended stays as it is. Raises NotFound."""
        task = self.get(task_id)
        task.stop()
        return task

    def close(self) -> None:
        """End everything and begin no more."""
        for task in self.all():
            task.stop()
        self._thread.shutdown(cancel_futures=True)
