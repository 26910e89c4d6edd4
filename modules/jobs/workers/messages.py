"""What a queue and a worker elsewhere say to each other: plain data that travels by pickle.

`number` counts the shares that a worker was given. A report about an older share is stale, and so is a wish.
"""

from dataclasses import dataclass
from enum import StrEnum

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.generation import Drawn, ModelFacts, StepReport
from modules.jobs.work import Share

__all__ = [
    "Draw",
    "Failed",
    "Failure",
    "FailureKind",
    "Finished",
    "Handed",
    "Look",
    "Noted",
    "Previewed",
    "Ready",
    "Report",
    "Skip",
    "Stepped",
    "Stop",
    "StrangeFailure",
    "Unfit",
    "Wish",
]


@dataclass(frozen=True, slots=True)
class Draw:
    """Draw this share; all before it are given up."""

    number: int
    share: Share


@dataclass(frozen=True, slots=True)
class Stop:
    """End the share after the current step."""

    number: int


@dataclass(frozen=True, slots=True)
class Skip:
    """End group `batch` of the share after the current step, unless it is past already."""

    number: int
    batch: int


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looks: make one preview with the next step."""

    number: int


Wish = Draw | Stop | Skip | Look
"""From the queue to the worker."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker is up: its process and the machine that it runs on."""

    process: int
    machine: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step was made, or a stage began."""

    number: int
    report: StepReport


@dataclass(frozen=True, slots=True)
class Previewed:
    """A look at the unfinished picture, as the bytes of a JPEG file."""

    number: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for the person."""

    number: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A picture; its pixels travel as they are."""

    number: int
    drawn: Drawn


@dataclass(frozen=True, slots=True)
class Finished:
    """The share is drawn. `hot` is the title of the checkpoint that is loaded now."""

    number: int
    facts: ModelFacts
    hot: str | None


class FailureKind(StrEnum):
    """Which class an error had, as far as it matters to who reads it."""

    INVALID_REQUEST = "invalid request"
    NOT_FOUND = "not found"
    EXPLAINED = "explained"
    STRANGE = "strange"
    """Nobody foresaw it: a mistake in the program."""


class StrangeFailure(Exception):
    """An error that nobody foresaw, met by a worker elsewhere; the traceback stands in its log."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error fit to travel: exceptions of one's own making do not come through pickle whole."""

    kind: FailureKind
    sentence: str
    field: str = ""

    @classmethod
    def of(cls, error: Exception, place: str = "") -> "Failure":
        """What is to be told of `error`; `place` is appended to what was not found."""
        match error:
            case InvalidRequest():
                return cls(FailureKind.INVALID_REQUEST, str(error), error.field)
            case NotFound():
                return cls(FailureKind.NOT_FOUND, f"{error} {place}".rstrip())
            case EaselError():
                return cls(FailureKind.EXPLAINED, str(error))
            case _:
                return cls(FailureKind.STRANGE, f"{type(error).__name__}: {error}")

    def error(self) -> Exception:
        """The error again."""
        match self.kind:
            case FailureKind.INVALID_REQUEST:
                return InvalidRequest(self.field, self.sentence)
            case FailureKind.NOT_FOUND:
                return NotFound(self.sentence)
            case FailureKind.EXPLAINED:
                return EaselError(self.sentence)
            case FailureKind.STRANGE:
                return StrangeFailure(self.sentence)


@dataclass(frozen=True, slots=True)
class Failed:
    """The share cannot be drawn."""

    number: int
    failure: Failure
    hot: str | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """The worker could not start, and will not."""

    failure: Failure


Report = Ready | Stepped | Previewed | Noted | Handed | Finished | Failed | Unfit
"""From the worker to the queue."""
