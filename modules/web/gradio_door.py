"""What stands before Gradio: of its routes those that the page uses, calls in a form that it can take.

Gradio by itself is a server for demos: it fetches addresses, draws icons, lets events be called by name, and
fails in words of its own where a call has another form than its page sends.
"""

import logging
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import gradio as gr
from anyio.to_thread import run_sync
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from gradio_client.utils import is_http_url_like
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.door import received_body, refusal
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.web.page_calls import CALLS, UPLOAD, call_for_gradio, is_used, refuse_wrong_types
from modules.web.uploads import Uploads

__all__ = ["GuardedBlocks", "PageDoor", "close_gradio_routes"]

log = logging.getLogger(__name__)

ADDRESSES = ("file=http:/", "file=https:/", "file/http:/", "file/https:/", "proxy=")
FILE = {"_type": "gradio.FileData"}
"""What the page's own events say about a file; Gradio looks after what says so."""
MANIFEST = {
    "name": "Easel",
    "icons": [{"src": "internal/web/static/favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    "start_url": "./",
    "display": "standalone",
}
REFUSALS: ContextVar[list[str] | None] = ContextVar("refusals", default=None)
"""What was refused while a call is answered: Gradio makes a 500 of everything that an event raises."""


class GuardedBlocks(gr.Blocks):
    """A page whose events name uploads and no other files, and get values of the kinds that their controls
    have.

    Gradio by itself fetches addresses, and opens any path of the machine in a picture that does not say to be
    a file (as `meta`): it asks only those that say so whether they are uploads.
    """

    async def process_api(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """As Gradio has it; what is refused is told without a trace in the log."""
        try:
            return await super().process_api(*arguments, **named)
        except EaselError as error:
            if (refusals := REFUSALS.get()) is not None:
                refusals.append(str(error))
            raise gr.Error(str(error), print_exception=False) from error

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> Any:
        """The values that the event's function gets. Raises InvalidRequest for a file that is no upload, and
        for a value that its control cannot have.
        """
        for path, meta in _files(inputs):
            if not isinstance(path, str):
                raise InvalidRequest("file", "A file that an event names has to be an upload.")
            if is_http_url_like(path):
                raise _no_address(path)
            if meta != FILE:
                raise InvalidRequest("file", "A file that an event names has to be an upload.")
        refuse_wrong_types(block_fn.inputs, inputs)
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)


class PageDoor:
    """Lets through to Gradio what its page asks for, and answers the rest."""

    def __init__(self, app: ASGIApp, page: gr.Blocks, uploads: Uploads) -> None:
        self._app, self._page, self._uploads = app, page, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        try:
            if not is_used(path):
                raise NotFound("The page does not use this. What the program can do is at /docs.")
            if scope["method"] == "POST" and path == UPLOAD:
                await run_sync(self._uploads.make_room)
            elif scope["method"] == "POST" and path.startswith(CALLS):
                body = await received_body(receive)
                if body is None:
                    return
                receive = _replayed(await call_for_gradio(self._page, path, body), receive)
        except EaselError as error:
            status = 404 if isinstance(error, NotFound) else 422
            await refusal(status, str(error), type(error).__name__)(scope, receive, send)
            return
        refusals: list[str] = []
        REFUSALS.set(refusals)

        async def honest_send(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 500 and refusals:
                message["status"] = 422
            await send(message)

        await self._app(_without_length(scope), receive, honest_send)


def _without_length(scope: Scope) -> Scope:
    """The body may have another length than the one that was sent."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    return {**scope, "headers": headers} if scope["method"] == "POST" else scope


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _files(value: Any) -> Iterator[tuple[Any, Any]]:
    """Path and `meta` of everything in an event's values that names a file."""
    if isinstance(value, dict):
        if value.get("path") is not None:
            yield value["path"], value.get("meta")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _files(each)


def _no_address(address: str) -> InvalidRequest:
    return InvalidRequest(
        "file", f"{address[:100]} is an address, and the page fetches none. Upload the file."
    )


def close_gradio_routes(app: FastAPI) -> None:
    """Answer in the place of those of Gradio's routes that fetch. They have to be on `app` before the page
    is.
    """

    def refuse(address: str) -> None:
        raise _no_address(address)

    def manifest() -> Response:
        return JSONResponse(MANIFEST, media_type="application/manifest+json")

    for place in ADDRESSES:
        path = f"/gradio_api/{place}{{address:path}}"
        app.add_api_route(path, refuse, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/manifest.json", manifest, methods=["GET"], include_in_schema=False)
