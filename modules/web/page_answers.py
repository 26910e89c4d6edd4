"""How the page and its files travel: with the program's own tags, compressed, and kept by browsers."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.routing import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FOR_EVER", "CompressedText", "PageHead"]

FOR_EVER = "private, max-age=31536000, immutable"
"""For an address that names its contents: what is changed gets another address."""
HASHED_FILES = "/assets/"
"""Gradio's files, with a digest in their names."""
SMALLEST = 1000
"""Bytes from which on an answer is compressed."""
LEVEL = 6
NOT_TEXT = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "image/bmp", "image/tiff", "application/octet-stream")
WITH_PICTURES = ("/sdapi/", "/internal/progress")
"""Routes whose answers are pictures for the most part: compressing them takes long and gains little."""


class CompressedText:
    """Compresses what is text, for those who take it. Pictures and streams of events go as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(app, SMALLEST, LEVEL, exclude_content_types=NOT_TEXT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_plain = scope["type"] != "http" or get_route_path(scope).startswith(WITH_PICTURES)
        await (self._plain if is_plain else self._compressing)(scope, receive, send)


class PageHead:
    """Puts `tags` first into the head of the page, and answers 304 where a browser has the page already.

    Gradio's own way (`head=`) adds them only after its scripts have begun.
    """

    def __init__(self, app: ASGIApp, tags: str) -> None:
        self._app, self._tags = app, tags.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif get_route_path(scope) in ("", "/"):
            await self._app(scope, receive, _Page(scope, send, self._tags).send)
        elif get_route_path(scope).startswith(HASHED_FILES):
            await self._app(scope, receive, _keeping(send))
        else:
            await self._app(scope, receive, send)


class _Page:
    """One answer that is the page, sent once it is whole."""

    def __init__(self, scope: Scope, send: Send, tags: bytes) -> None:
        self._known = Headers(scope=scope).get("if-none-match", "")
        self._send, self._tags = send, tags
        self._start: Message = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            # Whoever tests an application is told besides what a page was made of.
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body, headers = bytes(self._body), MutableHeaders(raw=self._start["headers"])
        if self._start["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
            body = body.replace(b"<head>", b"<head>" + self._tags, 1)
            # Weak: compressed it is other bytes.
            tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers["ETag"], headers["Cache-Control"] = tag, "private, no-cache"
            if tag in self._known:
                self._start["status"], body = 304, b""
                del headers["content-length"]
            elif "content-length" in headers:
                headers["content-length"] = str(len(body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _keeping(send: Send) -> Send:
    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(raw=message["headers"])["Cache-Control"] = FOR_EVER
        await send(message)

    return keep
