"""What the queue refuses, in sentences; the faces choose the status code by the class."""

from modules.errors import EaselError

__all__ = ["QueueClosed", "QueueFull", "StoreUnavailable", "WorkerLost", "WrongState"]


class QueueFull(EaselError):
    """As many jobs wait as may; `retry_after` seconds is when the next place should be free."""

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class QueueClosed(EaselError):
    """The program ends."""

    def __init__(self) -> None:
        super().__init__("The program is being closed and takes no more work. Send it again after the start.")


class WrongState(EaselError):
    """What was asked for is not possible in the state that the job is in."""


class StoreUnavailable(EaselError):
    """The database cannot be written now. `is_full`: the disk is full, else another program holds it."""

    def __init__(self, sentence: str, *, is_full: bool) -> None:
        super().__init__(sentence)
        self.is_full = is_full


class WorkerLost(EaselError):
    """A worker died while it drew. `for_good`: it cannot be started again, so no more work goes to it."""

    def __init__(self, sentence: str, *, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good
