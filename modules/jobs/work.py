"""What the queue hands to a worker, what a worker is, and how a job is spread over several. No state."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from modules.generation import Img2ImgRequest, ModelFacts, Order, Receive, Run, Watcher
from modules.jobs.errors import WorkerLost

__all__ = ["Share", "Worker", "WorkerLost", "cost_of", "leave_to_another", "share_out"]

USUAL_PIXELS = 512 * 512


@dataclass(frozen=True)
class Share:
    """Some pictures (0-based, ascending) of one job, for one worker to draw."""

    job_id: str
    order: Order
    pictures: tuple[int, ...]


class Worker(Protocol):
    """Somebody who draws, one share at a time. Its thread is the queue's; nothing here is called by two."""

    @property
    def name(self) -> str:
        """For the log and the page, such as "this process" or "GPU 1"."""

    @property
    def hot(self) -> str | None:
        """Title of the checkpoint that is loaded. Read from any thread at any time; answers at once."""

    def ready(self, seconds: float) -> bool:
        """Get ready to draw, for at most so many seconds; False: not yet. Asked again before each share."""

    def draw(self, share: Share, watcher: Watcher, receive: Receive) -> ModelFacts:
        """Draw the share; `receive` gets each picture as soon as it exists, in this thread. Blocks.

        Raises WorkerLost when the worker died: `ready` starts it anew, unless it says `for_good`. Raises
        EaselError where the job cannot be drawn, whoever tries.
        """

    def close(self) -> None:
        """End it. A `draw` in progress may be cut off."""


def share_out(run: Run, missing: Collection[int], workers: int) -> list[tuple[int, ...]]:
    """The shares in which `workers` workers draw the pictures `missing`, in the order of the pictures.

    One worker gets all at once. Several get the groups that are drawn together one by one, so that whoever
    is free takes the next and nobody waits for the slowest.
    """
    wanted = set(missing)
    if workers <= 1:
        return [tuple(sorted(wanted))] if wanted else []
    shares = (tuple(index for index in group if index in wanted) for group in run.groups)
    return [share for share in shares if share]


def leave_to_another(order: Order, hot: str | None, idle: Iterable[str | None]) -> bool:
    """Whether a worker that has `hot` loaded should leave `order` to one of the `idle` ones, who has its
    checkpoint loaded already.
    """
    return not _is_hot(order, hot) and any(_is_hot(order, other) for other in idle)


def _is_hot(order: Order, hot: str | None) -> bool:
    wanted = str(order.settings.get("sd_model_checkpoint") or "")
    return bool(wanted and hot and wanted in hot)


def cost_of(order: Order) -> float:
    """How much work an order is: 1.0 is one step of one picture of 512x512. Only ratios mean something."""
    request = order.request
    steps = float(request.steps)
    if isinstance(request, Img2ImgRequest):
        steps = max(steps * request.denoising_strength, 1.0)
    elif request.enable_hr:
        steps += max(request.hr_scale, 1.0) ** 2 * (request.hr_second_pass_steps or request.steps)
    pixels = sum(math.prod(size) for size in order.passes)
    return order.pictures * steps * pixels / USUAL_PIXELS
