"""Flags of who draws."""

from dataclasses import dataclass

from modules.flags.declare import FlagGroup, flag

__all__ = ["WorkerFlags"]

W = FlagGroup.WORKERS


@dataclass(frozen=True, kw_only=True)
class WorkerFlags:
    """How many draw at once, and where. docs/scaling.md tells the whole story."""

    workers: int | None = flag(
        None, "How many workers draw at once, each in a process of its own if there are several. Without it "
        "as many as there are graphics cards.", W, convert=int,
    )  # fmt: skip
    ray: str | None = flag(
        None, "Draw on a Ray cluster: its address (HOST:PORT), auto for this machine's own, or local for "
        "--workers actors on this machine alone.", W,
    )  # fmt: skip
