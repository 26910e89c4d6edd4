"""Making a picture again from what it carries, and saying whether it is the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from modules.errors import EaselError
from modules.generation import Drawn, Engine, Role, SilentWatcher, Watcher, plan_run
from modules.proof.evidence import read_evidence
from modules.proof.inputs import Source
from modules.proof.judging import judge
from modules.proof.retrace import Proof, retrace
from modules.proof.verdict import Verdict, VerdictKind

__all__ = ["cannot", "verify_picture"]


def verify_picture(
    picture: Path | BinaryIO | Image.Image,
    engine: Engine,
    watcher: Watcher | None = None,
    sources: Sequence[Source] = (),
) -> Verdict:
    """Draw `picture` again, here and now, and compare. What it was drawn from is looked for in `sources` and
    beside it, where it is not kept.

    Never raises for what is wrong with the picture, its record or its files: that is the verdict.
    """
    try:
        beside = [picture.parent] if isinstance(picture, Path) else []
        proof = retrace(read_evidence(picture), engine, [*sources, *beside])
        return _drawn_and_judged(proof, engine, watcher or SilentWatcher())
    except EaselError as error:
        return cannot(error)


def cannot(error: EaselError) -> Verdict:
    """The verdict when nothing can be compared, with the reason."""
    return Verdict(VerdictKind.CANNOT, str(error))


def _drawn_and_judged(proof: Proof, engine: Engine, watcher: Watcher) -> Verdict:
    drawn: dict[int, Image.Image] = {}

    def receive(each: Drawn) -> None:
        if each.role is Role.PICTURE and each.complete and each.image is not None:
            drawn[each.index] = each.image

    facts = engine.draw(plan_run(proof.order), proof.wanted, watcher, receive)
    if set(proof.wanted) - set(drawn):
        raise EaselError("Drawing it again was stopped before its end, so nothing was compared.")
    return judge(proof, [drawn[index] for index in proof.wanted], facts)
