"""What the route that verifies takes and answers."""

from pydantic import BaseModel, Field

from modules.proof import Verdict, VerdictKind
from modules.rest.pictures import EXAMPLE_PICTURE

__all__ = ["VerdictAnswer", "VerifyQuestion", "verdict_answer"]


class VerifyQuestion(BaseModel):
    """Which picture is meant: one that is sent, or one of a job."""

    picture: str | None = Field(None, description="A picture file in base64.", examples=[EXAMPLE_PICTURE])
    job: str | None = Field(None, max_length=200, description="Or the job that made it,")
    name: str = Field("0", max_length=200, description="and its number there from 0, or `grid`.")
    sources: list[str] = Field(
        [],
        max_length=256,
        description="Pictures it was drawn from, in base64, where the program keeps them no longer.",
    )
    wait_seconds: float = Field(600, ge=0, le=3600, description="How long other work may hold it up at most.")


class DifferenceAnswer(BaseModel):
    """Something that was another when the picture was drawn first."""

    what: str
    then: str
    now: str


class PixelsAnswer(BaseModel):
    """How far the file and the new picture are apart."""

    largest: int = Field(description="The largest step of a value, 0 to 255.")
    mean: float = Field(description="The mean over all values.")
    box: tuple[int, int, int, int] | None = Field(
        description="Left, top, right and bottom of what differs; null: nothing does."
    )


class VerdictAnswer(BaseModel):
    """What verifying found."""

    kind: VerdictKind
    sentence: str = Field(description="The same for a person.")
    differences: list[DifferenceAnswer] = Field(description="In how it was drawn, the weightiest first.")
    pixels: PixelsAnswer | None = Field(description="Null: nothing was compared.")
    notes: list[str] = Field(description="What else is worth knowing.")


def verdict_answer(verdict: Verdict) -> VerdictAnswer:
    """The verdict as it is answered."""
    pixels = verdict.pixels
    return VerdictAnswer(
        kind=verdict.kind,
        sentence=verdict.sentence,
        differences=[
            DifferenceAnswer(what=each.what, then=each.then, now=each.now) for each in verdict.differences
        ],
        pixels=PixelsAnswer(largest=pixels.largest, mean=pixels.mean, box=pixels.box) if pixels else None,
        notes=list(verdict.notes),
    )
