"""One place that turns errors into HTTP answers: one JSON shape, a sentence in `detail`, never a bare 500."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from modules.door import RefusedBody, TooManyFetches
from modules.errors import Closed, EaselError, InvalidRequest, NotFound, TooBusy, UnusableFile
from modules.foreign_json import JsonNotRead
from modules.generation import Kind, sentence_of_errors
from modules.jobs import QueueClosed, QueueFull, StoreUnavailable, WrongState
from modules.memory import NotEnoughMemory
from modules.merging import MergeRefused
from modules.rest.answer import Answer

__all__ = [
    "ErrorAnswer",
    "document_statuses_of_form",
    "error_answer",
    "error_statuses",
    "install_error_answers",
    "status_of",
]

log = logging.getLogger(__name__)

MEANINGS = {
    400: "The body could not be read as JSON.",
    401: "A name and a password are asked for.",
    403: "The program does not answer this caller, or keeps this closed.",
    404: "A thing that was named does not exist.",
    409: "As things are this cannot be: a job has ended, a file is in the way.",
    413: "The body is larger than the program takes.",
    414: "The address holds a name that is longer than names can be.",
    422: "A value cannot be used; `field` names it.",
    429: "The queue is full, or too many pictures are worked on; Retry-After says when to come again.",
    500: "The work failed; `detail` says why.",
    503: "The program cannot do this at the moment.",
    507: "The disk is full.",
}
KINDS = frozenset(get_args(Kind))
EVERYWHERE = (401, 403, 500)
WITH_NAME = (414,)
WHOLE_BODY = ("missing", "dict_type", "model_attributes_type", "model_type", "list_type")
WITH_BODY = (400, 413, 422)
STATUSES = {
    InvalidRequest: 422,
    UnusableFile: 422,
    JsonNotRead: 422,
    Closed: 403,
    NotFound: 404,
    WrongState: 409,
    MergeRefused: 409,
    QueueFull: 429,
    TooManyFetches: 429,
    TooBusy: 429,
    QueueClosed: 503,
}


class ErrorAnswer(Answer):
    """What every failed call answers."""

    error: str = Field(description="The kind of error.", examples=["InvalidRequest"])
    detail: str = Field(
        description="A sentence for a person: what was wrong, where, and what to do.",
        examples=["width cannot be 13: must be a multiple of 8; the nearest are 8 and 16."],
    )
    errors: str = Field("", description="The same sentence, under the name that some clients read.")
    field: str | None = Field(None, description="The field, setting or flag that it is about.")


class MemoryNumbers(Answer):
    """The numbers of a request that cannot fit into the memory."""

    needed: int = Field(description="Bytes that the request would take.")
    available: int = Field(description="Bytes that the program can have.")
    width: int | None = Field(description="Of the largest size of that shape that fits; null: none does.")
    height: int | None = Field(description="As the width.")
    given_pixels: int | None = Field(
        description="The most that the given pictures may have in all, where they are the larger part."
    )


class MemoryAnswer(ErrorAnswer):
    """The refusal of a request that cannot fit."""

    memory: MemoryNumbers


def error_statuses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`statuses`, and those that every route may answer, for the OpenAPI document."""
    wanted = sorted({*EVERYWHERE, *statuses})
    return {status: {"model": ErrorAnswer, "description": MEANINGS[status]} for status in wanted}


def document_statuses_of_form(app: FastAPI) -> None:
    """Let the OpenAPI document of `app` say what routes with a name in their path, and routes that take a
    body, may answer because of that.
    """
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _add_statuses(operation, has_name="{" in path)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_statuses(operation: dict[str, Any], *, has_name: bool) -> None:
    has_body = "requestBody" in operation
    answers = operation["responses"]
    # The framework has described 422 by itself where nobody else did, in a shape that is never answered.
    for status in (*(WITH_NAME if has_name else ()), *(WITH_BODY if has_body else ())):
        answers[str(status)] = {**answers["500"], "description": MEANINGS[status]}
    operation["responses"] = dict(sorted(answers.items()))


def status_of(error: Exception) -> int:
    """HTTP status for an error; 500 for what no caller can mend."""
    if isinstance(error, StoreUnavailable):
        return 507 if error.is_full else 503
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)


def error_answer(error: Exception) -> ErrorAnswer:
    """The one shape of `error`; what does not fit into the memory has its numbers besides."""
    sentence, kind, field = str(error), type(error).__name__, getattr(error, "field", None)
    if not isinstance(error, NotEnoughMemory):
        return ErrorAnswer(error=kind, detail=sentence, errors=sentence, field=field)
    width, height = error.fitting or (None, None)
    memory = MemoryNumbers(
        needed=error.needed,
        available=error.available,
        width=width,
        height=height,
        given_pixels=error.given_pixels,
    )
    return MemoryAnswer(error=kind, detail=sentence, errors=sentence, field=field, memory=memory)


def _answer(
    status: int, kind: str, sentence: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = ErrorAnswer(error=kind, detail=sentence, errors=sentence, field=field)
    return JSONResponse(body.model_dump(), status, headers)


def _known(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_answer(error).model_dump(), status_of(error), _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(max(round(seconds), 1))}


def _field_path(place: Sequence[Any]) -> Sequence[Any]:
    """The path of a field as the caller knows it: without the place of the body, and without the kind that a
    request was taken for.
    """
    return [part for part in place[1:] if part not in KINDS] or place


def _malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = [{**each, "loc": _field_path(each["loc"])} for each in error.errors()]
    if details[0]["type"] == "json_invalid":
        reason = details[0].get("ctx", {}).get("error", "it ends too early")
        return _answer(400, "InvalidRequest", _not_json(f"{reason}, character {details[0]['loc'][-1]}"))
    if sentence := _of_whole_body(error.errors()[0]):
        return _answer(422, "InvalidRequest", sentence, "body")
    invalid = sentence_of_errors(details)
    return _answer(422, "InvalidRequest", str(invalid), invalid.field)


def _of_whole_body(first: Mapping[str, Any]) -> str:
    """What is wrong with a body that is not even an object; empty where something inside it is."""
    if tuple(first["loc"]) != ("body",) or first["type"] not in WHOLE_BODY:
        return ""
    given = first.get("input")
    if isinstance(given, bytes):
        return "The body was not read as JSON: send it with the header Content-Type: application/json."
    if given is None:
        header = "with the header Content-Type: application/json"
        return f"The body is empty. Send a JSON object, at least {{}}, {header}."
    return f"The body is {_kind(given)}. Send a JSON object, at least {{}}."


def _kind(value: Any) -> str:
    kinds = {str: "a JSON text", bool: "true or false", list: "a JSON list"}
    return kinds.get(type(value), "a JSON number")


def _not_json(reason: str) -> str:
    return f"The body is not JSON that can be read: {reason}. Send UTF-8 text such as {{}}."


def _refused(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself, in words that help."""
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path}"
    sentence = str(error.detail)
    if sentence == HTTPStatus.NOT_FOUND.phrase:
        sentence = f"There is nothing at {what}. The routes are listed at /docs."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        sentence = f"{what} cannot be: the route takes {allowed}."
    elif error.status_code == HTTPStatus.BAD_REQUEST and "parsing the body" in sentence:
        sentence = _not_json("it is no text in UTF-8, or nested too deeply")
    return _answer(error.status_code, type(error).__name__, sentence, headers=error.headers)


def _refused_body(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedBody)
    return _answer(error.status_code, "InvalidRequest", str(error.detail), error.field)


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    sentence = (
        f"The program met an error that it did not expect ({type(error).__name__}: {error}). "
        "The log has the details."
    )
    return _answer(500, type(error).__name__, sentence)


def install_error_answers(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""
    app.add_exception_handler(EaselError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RefusedBody, _refused_body)
    app.add_exception_handler(Exception, _unforeseen)
