"""Rows of the database and the objects they stand for. Pure."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from modules.errors import EaselError, InvalidRequest, NotFound, UnusableFile
from modules.generation import KeptPicture, MadePicture, ModelFacts, Order, PictureKey, Role
from modules.jobs.answer import Answer
from modules.jobs.job import Job, JobState

__all__ = ["facts_of", "facts_text", "job_of", "kept_of", "made_of", "values_of"]

_FACTS = TypeAdapter(ModelFacts)
_ANSWER = TypeAdapter(Answer)

KINDS: Mapping[str, type[EaselError]] = {"NotFound": NotFound, "UnusableFile": UnusableFile}


COLUMNS: Mapping[str, Callable[[Job], Any]] = {
    "id": lambda job: job.id,
    "client": lambda job: job.client,
    "source": lambda job: job.source,
    "priority": lambda job: job.priority,
    "turn": lambda job: job.turn,
    "cost": lambda job: job.cost,
    "order_text": lambda job: job.order.model_dump_json(),
    "state": lambda job: job.state.value,
    "held": lambda job: int(job.held),
    "stop_asked": lambda job: int(job.stop_asked.is_set()),
    "crashes": lambda job: job.crashes,
    "created": lambda job: job.created,
    "started": lambda job: job.started,
    "finished": lambda job: job.finished,
    "seconds": lambda job: job.seconds,
    "notes": lambda job: json.dumps(job.notes, ensure_ascii=False),
    "error": lambda job: error_text(job.error),
    "answer": lambda job: _ANSWER.dump_json(job.answer).decode() if job.answer else None,
}
"""What stands in each column of a job's row."""


def facts_text(facts: ModelFacts) -> str:
    """The facts as JSON."""
    return _FACTS.dump_json(facts).decode()


def error_text(error: Exception | None) -> str | None:
    """An error as JSON: its kind, its sentence and the field it is about."""
    if error is None:
        return None
    known = isinstance(error, EaselError)
    values = {
        "kind": type(error).__name__,
        "sentence": str(error) if known else f"{type(error).__name__}: {error}",
        "field": getattr(error, "field", None),
        "known": known,
    }
    return json.dumps(values, ensure_ascii=False)


def _error_of(text: str | None) -> Exception | None:
    if not text:
        return None
    values = json.loads(text)
    sentence = str(values["sentence"])
    if not values["known"]:
        return EaselError(
            f"The run ended with an error that was not expected ({sentence}). The log has more."
        )
    if values["field"] is not None:
        return InvalidRequest(values["field"], sentence)
    return KINDS.get(values["kind"], EaselError)(sentence)


def values_of(job: Job, columns: Sequence[str] = ()) -> dict[str, Any]:
    """`columns` of `job`'s row; none named: all but its number and the key it came under."""
    return {name: COLUMNS[name](job) for name in columns or COLUMNS}


def job_of(row: sqlite3.Row) -> Job:
    """The job of a row, without its pictures. Raises ValidationError for an order that makes no sense now."""
    job = Job(
        id=row["id"],
        order=Order.model_validate_json(row["order_text"]),
        client=row["client"],
        source=row["source"],
        priority=row["priority"],
        number=row["number"],
        turn=row["turn"],
        cost=row["cost"],
        state=JobState(row["state"]),
        held=bool(row["held"]),
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        seconds=row["seconds"],
        notes=tuple(json.loads(row["notes"])),
        error=_error_of(row["error"]),
        answer=_answer_of(row["answer"]),
        crashes=row["crashes"],
    )
    if row["stop_asked"]:
        job.stop_asked.set()
    if job.state.is_final:
        job.ended.set()
    return job


def _answer_of(text: str | None) -> Answer | None:
    if text is None:
        return None
    try:
        return _ANSWER.validate_json(text)
    except ValidationError:
        # Written by another version of the program: the pictures are there all the same.
        return None


def kept_of(row: sqlite3.Row, data: Path) -> tuple[PictureKey, KeptPicture]:
    """The picture of a row; a path that is not absolute starts at the data folder.

    Raises ValidationError for facts that another version of the program wrote.
    """
    kept = KeptPicture(
        path=data / row["path"],
        infotext=row["infotext"],
        seed=int(row["seed"]),
        subseed=int(row["subseed"]),
        facts=facts_of(row["facts"]),
        spooled=bool(row["spooled"]),
    )
    return (Role(row["role"]), row["picture"]), kept


def facts_of(text: str) -> ModelFacts:
    """The facts from their JSON. Raises ValidationError as above."""
    return _FACTS.validate_json(text)


def made_of(row: sqlite3.Row, data: Path) -> MadePicture:
    """The picture of a row as a job shows it."""
    path = data / row["path"]
    return MadePicture(
        image=None,
        infotext=row["infotext"],
        seed=int(row["seed"]),
        subseed=int(row["subseed"]),
        path=None if row["spooled"] else path,
        spooled=path if row["spooled"] else None,
        is_grid=row["role"] == Role.GRID,
        index=row["picture"],
    )
