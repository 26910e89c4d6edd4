"""Routes whose JSON is read with bounds, and aside where it is large, so that nobody else waits for it."""

from collections.abc import Callable, Iterator
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from modules.door.bodies import MOST_SIGNS
from modules.foreign_json import JsonBounds, JsonNotRead, parse_json

__all__ = ["RefusedBody", "Router"]

ASIDE_BYTES = 64 << 10
BOUNDS = JsonBounds(bytes=4 << 30, depth=32, nodes=MOST_SIGNS)
"""How many bytes a route takes has been decided before it is asked."""
HALVES = (b"\\ud", b"\\uD", b"\xed")
"""How half of a character may be written."""
REPLACEMENTS = (b"\xef\xbf\xbd", b"\\ufffd", b"\\uFFFD")
REPLACED = "\ufffd"
"""What the reader puts in the place of half a character."""


class RefusedBody(HTTPException):
    """A body that is no JSON (400), or that holds a text which nothing can be written with (422)."""

    def __init__(self, status: int, sentence: str, field: str | None = None) -> None:
        super().__init__(status, sentence)
        self.field = field


class _JsonRequest(Request):
    """A request whose JSON is read here."""

    async def json(self) -> Any:
        """The value of the body. Raises RefusedBody."""
        if not hasattr(self, "_read_json"):
            body = await self.body()
            is_large = len(body) > ASIDE_BYTES
            self._read_json = await run_sync(_read, body) if is_large else _read(body)
        return self._read_json


class _JsonRoute(APIRoute):
    """A route that gets such requests."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """As FastAPI has it."""
        handler = super().get_route_handler()

        async def with_bounds(request: Request) -> Response:
            return await handler(_JsonRequest(request.scope, request.receive))

        return with_bounds


class Router(APIRouter):
    """A router of such routes: what every router of the program is."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, route_class=_JsonRoute, **named)


def _read(body: bytes) -> Any:
    try:
        value = parse_json(body, "The body", BOUNDS)
    except JsonNotRead as error:
        raise RefusedBody(400, f"{error} Send UTF-8 text such as {{}}.") from error
    may_be_broken = any(half in body for half in HALVES) and not any(same in body for same in REPLACEMENTS)
    if may_be_broken and (field := _broken_field(value)) is not None:
        sentence = f"{field or 'The body'} holds half of a character (a lone surrogate), which is no text."
        raise RefusedBody(422, sentence, field or None)
    return value


def _broken_field(value: Any) -> str | None:
    """The nearest name above a text with such a character; "" for one without a name, None: there is none."""
    for field, text in _texts(value, ""):
        if REPLACED in text:
            return field
    return None


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, field)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield field, name
            yield from _texts(each, name)
