"""One place that turns errors into HTTP answers: one JSON shape, a sentence in `detail`, never a bare 500."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.generation import sentence_of_errors

__all__ = ["ErrorAnswer", "install_error_answers", "status_of"]

log = logging.getLogger(__name__)


class ErrorAnswer(BaseModel):
    """What every failed call answers: the kind of error, the sentence for a person, and the field it is
    about.
    """

    error: str
    detail: str
    errors: str = ""
    field: str | None = None


def status_of(error: Exception) -> int:
    """HTTP status for an error: 422 for what the caller can mend, 404 for what is not there, 500 for the
    rest.
    """
    if isinstance(error, InvalidRequest):
        return 422
    if isinstance(error, NotFound):
        return 404
    return 500


def _answer(status: int, error: Exception, sentence: str) -> JSONResponse:
    field = getattr(error, "field", None)
    body = ErrorAnswer(error=type(error).__name__, detail=sentence, errors=sentence, field=field)
    return JSONResponse(body.model_dump(), status)


def install_error_answers(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""

    @app.exception_handler(EaselError)
    def known(_: Request, error: EaselError) -> JSONResponse:
        return _answer(status_of(error), error, str(error))

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        details: list[dict[str, Any]] = [
            {**each, "loc": each["loc"][1:] or each["loc"]} for each in error.errors()
        ]
        invalid = sentence_of_errors(details)
        return _answer(422, invalid, str(invalid))

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, error, str(error.detail))

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path)
        what = f"{type(error).__name__}: {error}"
        sentence = f"The program met an error that it did not expect ({what}). The log has the details."
        return _answer(500, error, sentence)
