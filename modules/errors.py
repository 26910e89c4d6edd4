"""The errors that a person can meet. Each message is a sentence: what was wrong, where, and what to do."""

__all__ = ["Closed", "EaselError", "InvalidRequest", "NotFound", "TooBusy", "UnusableFile"]


class EaselError(Exception):
    """Something failed in a way that can be explained; `str(error)` is the sentence for the browser."""


class InvalidRequest(EaselError):
    """A value that cannot be used. `field` names the request field, setting or flag it was given for."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Closed(EaselError):
    """Something that this program does not do for who asks, unless a flag opens it."""


class UnusableFile(EaselError):
    """A file of a model that cannot be used: another choice, or another file in its place, mends it."""


class NotFound(EaselError):
    """A named thing (a checkpoint, a job, a picture) that does not exist."""


class TooBusy(EaselError):
    """So much of one kind is asked for at a time that more has to wait; `retry_after`: seconds."""

    def __init__(self, what: str, retry_after: float = 5.0) -> None:
        super().__init__(f"{what}. Come again in some seconds.")
        self.retry_after = retry_after
