"""A worker that draws squares of one colour, when the test lets it."""

import threading
from dataclasses import dataclass, field, fields
from typing import get_origin, get_type_hints

from PIL import Image

from modules.generation import Drawn, ModelFacts, Role, StepReport, Surroundings, plan_run
from modules.jobs import Share, WorkerLost


def _filled(kind: type, **values: object):
    """A dataclass in which every field that is not given is empty: what it says matters to no test here."""
    empty = {str: "", bool: False, int: 0}
    hints = get_type_hints(kind)
    given = {
        each.name: () if get_origin(hints[each.name]) is tuple else empty.get(hints[each.name])
        for each in fields(kind)
    } | values
    return kind(**given)


FACTS = _filled(ModelFacts, name="tiny-sd1.safetensors", stem="tiny-sd1", surroundings=_filled(Surroundings))


def square(index: int) -> Image.Image:
    """What picture number `index` looks like."""
    return Image.new("RGB", (64, 64), (index * 7 % 256, 90, 200))


@dataclass(eq=False)
class GateWorker:
    """Reports a step for each group and waits at the gate, which is open for ever or for so many groups."""

    name: str = "gate"
    hot: str | None = None
    failure: Exception | None = None
    dies: int = 0
    started: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)
    passes: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    seen: list[Share] = field(default_factory=list)
    drawn: list[tuple[str, int]] = field(default_factory=list)
    preview: Image.Image | None = None
    skips: set[int] = field(default_factory=set)
    """Pictures that a person skips at once."""
    closed: bool = False

    def __post_init__(self):
        self.started.set()

    def ready(self, seconds):
        """Always, but while it is being started."""
        return self.started.wait(seconds)

    def draw(self, share, watcher, receive):
        """Draw the groups of the share, one after another."""
        self.seen.append(share)
        run = plan_run(share.order)
        for number, group in enumerate(run.groups):
            wanted = [index for index in group if index in share.pictures]
            if not wanted:
                continue
            if watcher.should_stop():
                break
            watcher.should_skip()
            report = StepReport(
                number * run.steps_of_group + 1, run.steps_in_all, number, len(run.groups), f"group {number}"
            )
            watcher.on_step(report)
            if self.preview and watcher.wants_preview(report):
                watcher.on_preview(self.preview)
            complete = self._wait(watcher) and not self.skips & set(wanted)
            self._fail_if_told()
            for index in wanted:
                image = square(index) if complete else None
                self.drawn.append((share.job_id, index))
                receive(
                    Drawn(
                        role=Role.PICTURE,
                        index=index,
                        image=image,
                        infotext=f"picture {index}",
                        seed=run.seeds.seeds[index],
                        subseed=run.seeds.subseeds[index],
                        facts=FACTS,
                        complete=complete,
                    )
                )
        return FACTS

    def _wait(self, watcher) -> bool:
        while not self.open.is_set() and not self.passes.acquire(timeout=0.005):
            if watcher.should_stop() or watcher.should_skip():
                return False
        return True

    def _fail_if_told(self) -> None:
        if self.dies:
            self.dies -= 1
            raise WorkerLost("The worker was killed.")
        if self.failure:
            raise self.failure

    def close(self):
        """Remember that it was told to end."""
        self.closed = True
