"""The refiner: another checkpoint that takes over in the middle of a pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.generation.drawn import ModelFiles
from modules.generation.order import PictureKinds
from modules.settings import Options

__all__ = ["RefinerRun", "plan_refiner", "refiner_fields"]

NO_REFINER = ("", "none")


@dataclass(frozen=True)
class RefinerRun:
    """Which checkpoint takes over, at what share of the schedule (0 .. 1), counted how, in which passes.

    `passes` is the value of the setting `hires_fix_refiner_pass`, None for a run of one pass.
    """

    checkpoint: str
    switch_at: float
    by_steps: bool
    passes: str | None

    @property
    def in_first_pass(self) -> bool:
        """Whether it takes part in the first pass."""
        return self.passes != "second pass"

    @property
    def in_second_pass(self) -> bool:
        """Whether it takes part in the hires pass."""
        return self.passes in ("second pass", "both passes")


def plan_refiner(request: PictureKinds, options: Options, *, hires: bool) -> RefinerRun | None:
    """The refiner that `request` names, if any. One that is given no time takes over at the start."""
    name = request.refiner_checkpoint or ""
    if name.strip().lower() in NO_REFINER:
        return None
    return RefinerRun(
        checkpoint=name,
        switch_at=request.refiner_switch_at or 0.0,
        by_steps=options.refiner_switch_by_sample_steps,
        passes=options.hires_fix_refiner_pass if hires else None,
    )


def refiner_fields(refiner: RefinerRun | None, files: ModelFiles | None) -> Mapping[str, Any]:
    """What it adds to the generation text; `files`: what it was made from."""
    # At 1 the last evaluation is still before the end: nobody takes over.
    if refiner is None or files is None or refiner.switch_at >= 1:
        return {}
    fields: dict[str, Any] = {}
    if refiner.by_steps:
        fields["Refiner switch by sampling steps"] = True
    if refiner.passes not in (None, "second pass"):
        fields["Hires refiner"] = refiner.passes
    fields["Refiner"] = files.short_title
    fields["Refiner switch at"] = refiner.switch_at
    return fields
