"""A batch: its plan, its pictures, and what has become of each of them."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from modules.batches.plan import BatchPlan

__all__ = ["JOB_OF_BATCH", "Batch", "BatchState", "Outcome", "OutcomeKind"]

JOB_OF_BATCH = re.compile(r"batch\((\w+)-(\d+)(?:-\d+)?\)")
"""The ids of the jobs of a batch: its id, the picture's number, and how often it was tried before."""


class BatchState(StrEnum):
    """Where a batch stands."""

    GATHERING = "gathering"
    """Its pictures are being sent."""
    RUNNING = "running"
    STOPPING = "stopping"
    """What is drawn now is drawn to its end."""
    STOPPED = "stopped"
    DONE = "done"

    @property
    def is_active(self) -> bool:
        """Whether it has work in the queue."""
        return self in (BatchState.RUNNING, BatchState.STOPPING)


class OutcomeKind(StrEnum):
    """What has become of one picture."""

    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "left out"
    """A person took its job off the queue."""
    AGAIN = "again"
    """It was begun and given up: it is to be drawn once more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one picture, and why."""

    kind: OutcomeKind
    sentence: str = ""


@dataclass(eq=False)
class Batch:
    """Written by the thread that feeds it; others read whole values."""

    id: str
    plan: BatchPlan
    names: tuple[str, ...]
    has_uploads: bool = False
    """Its pictures were sent, and lie in its own folder."""
    client: str = "page img2img"
    created: float = field(default_factory=time.time)
    state: BatchState = BatchState.RUNNING
    notice: str = ""
    """Why it waits, or was stopped."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)
    """How often each picture was begun and given up."""

    def is_of(self, plan: BatchPlan) -> bool:
        """Whether `plan` asks for this batch; the seeds are drawn when it begins."""
        asked = self.plan.model_copy(update={"seeds": plan.seeds})
        # As JSON, which knows no tuples: it may have been read from the disk.
        return asked.model_dump(mode="json") == plan.model_dump(mode="json")

    def note(self, number: int, outcome: Outcome) -> None:
        """Picture `number` (0-based) has come to this."""
        outcomes = dict(self.outcomes)
        if outcome.kind is OutcomeKind.AGAIN:
            outcomes.pop(number, None)
            self.tries[number] += 1
        else:
            outcomes[number] = outcome
        self.outcomes = outcomes

    @property
    def left(self) -> list[int]:
        """The pictures of which nothing is known yet."""
        return [number for number in range(len(self.names)) if number not in self.outcomes]

    def of_kind(self, kind: OutcomeKind) -> dict[str, str]:
        """Names and sentences of the pictures that came to this, in their order."""
        found = sorted((number, each) for number, each in self.outcomes.items() if each.kind is kind)
        return {self.names[number]: each.sentence for number, each in found}

    def job_id(self, number: int) -> str:
        """The id of the job that draws picture `number`: the same until it was begun and given up."""
        tried = self.tries[number]
        return f"batch({self.id}-{number}{f'-{tried}' if tried else ''})"

    @property
    def summary(self) -> str:
        """How far it is, in a sentence: "12 of 340, 3 failed: a.png, b.png, c.png"."""
        failed = list(self.of_kind(OutcomeKind.FAILED))
        text = f"{len(self.outcomes)} of {len(self.names)}"
        if failed:
            text += f", {len(failed)} failed: {', '.join(failed)}"
        return text
