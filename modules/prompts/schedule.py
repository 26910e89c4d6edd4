"""Which text a prompt means at which step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modules.errors import InvalidRequest
from modules.prompts.editing import Alternation, Edit, Piece, read_pieces, replay

__all__ = ["ScheduledText", "schedule_prompt"]


@dataclass(frozen=True, slots=True)
class ScheduledText:
    """`text` is used up to and with step `end_at_step` (1-based)."""

    end_at_step: int
    text: str


@dataclass(frozen=True, slots=True)
class _Clock:
    """How a written `when` becomes a step: a share of `steps`, or a step number, less an offset."""

    steps: int
    share_offset: float = 0.0
    step_offset: int = 0
    small_is_share: bool = False

    def step_of(self, when: str) -> int:
        """The last step of the first text, 0 .. steps."""
        number = float(when)
        if self.small_is_share:
            value = number * self.steps if number < 1 else number
        elif "." in when:
            value = (number - self.share_offset) * self.steps
        else:
            value = number - self.step_offset
        if value >= self.steps:
            return self.steps
        return int(value) if value >= 1 else 0


def schedule_prompt(
    text: str, steps: int, hires_steps: int | None = None, *, old_scheduling: bool = False
) -> list[ScheduledText]:
    """The texts that a prompt with `[from:to:when]` and `[a|b]` stands for, in order of their last steps.

    steps: evaluations of the (first) pass; a sampler that evaluates twice a step is given twice the steps.
    hires_steps: those of the second pass; the schedule is then the second pass's, where shares from 1.0 on
    and step numbers past `steps` mean the second pass.
    old_scheduling: the setting `use_old_scheduling`: numbers below 1 are shares, and both passes read alike.

    The end steps rise strictly and the last is the number of steps. Never recurses; linear in the length of
    the text for each of at most `steps` texts. Raises `InvalidRequest` for fewer than one step.
    """
    clock = _clock(steps, hires_steps, old_scheduling)
    pieces = read_pieces(text)
    last_steps = {at: clock.step_of(piece.when) for at, piece in enumerate(pieces) if isinstance(piece, Edit)}
    ends = _end_steps(pieces, last_steps.values(), clock.steps)
    return [ScheduledText(end, replay(pieces, end, last_steps)) for end in ends]


def _clock(steps: int, hires_steps: int | None, old_scheduling: bool) -> _Clock:
    wanted = steps if hires_steps is None else min(steps, hires_steps)
    if wanted < 1:
        raise InvalidRequest("steps", f"A prompt is scheduled over at least 1 step, not {wanted}.")
    if old_scheduling:
        return _Clock(steps, small_is_share=True)
    if hires_steps is None:
        return _Clock(steps)
    return _Clock(hires_steps, share_offset=1.0, step_offset=steps)


def _end_steps(pieces: Sequence[Piece], last_steps: Iterable[int], steps: int) -> list[int]:
    if any(isinstance(piece, Alternation) for piece in pieces):
        return list(range(1, steps + 1))
    return sorted({steps, *(last for last in last_steps if last >= 1)})
