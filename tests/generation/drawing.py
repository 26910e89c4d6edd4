"""A small request, a watcher that sees all that happens, memory that runs out, and pictures as numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from modules.generation import GenerationResult, MadePicture, SilentWatcher, StepReport

TINY = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 7, "sampler_name": "Euler"}


@dataclass
class Recorder(SilentWatcher):
    """Keeps what a run tells, and stops or skips after as many reports of steps as asked."""

    stop_at: int | None = None
    skip_at: int | None = None
    looks: bool = False
    reports: list[StepReport] = field(default_factory=list)
    previews: list = field(default_factory=list)
    pictures: list[MadePicture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def on_step(self, report):
        self.reports.append(report)

    def wants_preview(self, report):
        return self.looks

    def on_preview(self, image):
        self.previews.append(image)

    def on_picture(self, picture):
        self.pictures.append(picture)

    def on_note(self, sentence):
        self.notes.append(sentence)

    def should_stop(self):
        return self.stop_at is not None and bool(self.reports) and self.reports[-1].done >= self.stop_at

    def should_skip(self):
        asked = self.skip_at is not None and bool(self.reports) and self.reports[-1].done >= self.skip_at
        if asked:
            self.skip_at = None
        return asked


def pixels(result: GenerationResult) -> list[np.ndarray]:
    """The pictures as (H, W, 3) whole numbers."""
    return [np.asarray(picture.pixels(), dtype=int) for picture in result.pictures]


@contextmanager
def failing(module: torch.nn.Module, *calls: int, error: BaseException | None = None) -> Iterator[None]:
    """While it lasts, the calls of `module` with these numbers, counted from 1, find no memory."""
    made = 0

    def count(*_):
        nonlocal made
        made += 1
        if made in calls:
            raise error or MemoryError()

    hook = module.register_forward_pre_hook(count)
    try:
        yield
    finally:
        hook.remove()
