"""What Gradio would do for whoever asks, and the page does not: fetch addresses, draw icons, be an API."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from gradio_client.utils import is_http_url_like

from modules.errors import InvalidRequest, NotFound

__all__ = ["GuardedBlocks", "close_gradio_routes"]

ADDRESSES = ("file=http:/", "file=https:/", "file/http:/", "file/https:/", "proxy=")
UNUSED = ("/pwa_icon", "/pwa_icon/{size}", "/gradio_api/call/{name:path}")
FILE = {"_type": "gradio.FileData"}
"""What the page's own events say about a file; Gradio looks after what says so."""
MANIFEST = {
    "name": "Easel",
    "icons": [{"src": "internal/web/static/favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    "start_url": "./",
    "display": "standalone",
}


class GuardedBlocks(gr.Blocks):
    """A page whose events name uploads and no other files.

    Gradio by itself fetches addresses, and opens any path of the machine in a picture that does not say to be
    a file (as `meta`): it asks only those that say so whether they are uploads.
    """

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> Any:
        """The values that the event's function gets. Raises InvalidRequest for a file that is no upload."""
        for path, meta in _files(inputs):
            if is_http_url_like(path):
                raise _no_address(path)
            if meta != FILE:
                raise InvalidRequest("file", "A file that an event names has to be an upload.")
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)


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
    """Answer in the place of those of Gradio's routes that fetch, or that nothing on the page uses.

    They have to be on `app` before the page is.
    """

    def refuse(address: str) -> None:
        raise _no_address(address)

    def is_unused() -> None:
        raise NotFound("The page does not use this. What the program can do is at /docs.")

    def manifest() -> Response:
        return JSONResponse(MANIFEST, media_type="application/manifest+json")

    for place in ADDRESSES:
        path = f"/gradio_api/{place}{{address:path}}"
        app.add_api_route(path, refuse, methods=["GET", "HEAD"], include_in_schema=False)
    for path in UNUSED:
        app.add_api_route(path, is_unused, methods=["GET", "HEAD", "POST"], include_in_schema=False)
    app.add_api_route("/manifest.json", manifest, methods=["GET"], include_in_schema=False)
