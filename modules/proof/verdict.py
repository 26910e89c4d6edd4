"""What verifying a picture can say."""

from dataclasses import dataclass
from enum import StrEnum

from modules.proof.comparing import PixelDifference

__all__ = ["Difference", "Verdict", "VerdictKind"]


class VerdictKind(StrEnum):
    """The four ways in which verifying can end."""

    SAME_BITS = "same bits"
    WITHIN_ROUNDING = "within rounding"
    DIFFERS = "differs"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was another when the picture was drawn first: `then`, and `now`."""

    what: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.what} was {self.then} and is {self.now}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is this picture what its record says?".

    `sentence` is for people. `differences` are in how the picture was drawn, the weightiest first; `pixels`
    is how far the file and the new picture are apart, None where nothing was drawn; `notes` say what else is
    worth knowing.
    """

    kind: VerdictKind
    sentence: str
    differences: tuple[Difference, ...] = ()
    pixels: PixelDifference | None = None
    notes: tuple[str, ...] = ()
