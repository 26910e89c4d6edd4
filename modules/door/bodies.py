"""Requests have bounds: the size of their bodies by route, how long they may take to come, the names in their
paths, and what all bodies that are held at the same time may take.
"""

import asyncio
import re
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.door.answers import refusal

__all__ = ["BodyBound", "received_body"]

MEGABYTE = 2**20
LONGEST_NAME = 255
"""Bytes of a name that file systems have; what is longer names nothing."""
LONGEST_LENGTH = 18
"""Digits of a Content-Length that is looked at."""
SMALL_BODY = 4 * MEGABYTE
"""Of a route that takes no pictures: forms, settings and orders have some kilobytes."""
WITH_PICTURES = re.compile(
    r"/sdapi/v1/(txt2img|img2img|png-info|interrogate|extra-single-image|extra-batch-images)"
    r"|/easel/v1/(jobs(/[^/]+)?|verify|networks/preview)"
    r"|/internal/web/(submit|edit|extras|picture-text|batches|batches/[^/]+/pictures)"
    r"|/gradio_api/upload"
)
"""The routes that take pictures, and with them as much as the command line allows."""
SIGNS = b",:[{"
"""At least one of them stands before each value in JSON, but for the first one."""
MOST_SIGNS = 250_000
"""Of a body in JSON, those inside of texts too. Pictures in base64 have none."""
TOO_SLOW = 408
SILENT_SECONDS = 60.0
"""How long nothing may come of a body that is not whole yet."""
SLOWEST_BYTES = 4096
"""A second, of a body that has been coming for long: who sends by drops holds a place for nobody's good."""
DRAINED_BYTES, DRAINED_SECONDS = 256 * MEGABYTE, 10.0
"""Of a refused body that is still read and thrown away: who is sending reads no answer before the end."""
ALL_BODIES = 2
"""All bodies that come or are worked on at the same time have so many times the largest."""


class _Broken(Exception):
    """The body is not to be read any further; how that is answered."""

    def __init__(self, status: int, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.was_slow = status == TOO_SLOW
        self.answer = refusal(status, sentence, kind, {"connection": "close"})


class _Reading:
    """One body while it comes in. Nothing more is read of one that breaks a bound: for the application its
    sender has gone.
    """

    def __init__(self, bound: "BodyBound", receive: Receive, most: int, is_json: bool) -> None:
        self._bound, self._receive, self._most, self._is_json = bound, receive, most, is_json
        self._began = asyncio.get_running_loop().time()
        self.is_whole = False
        self._signs = self.got = self.held = 0
        self.broken: _Broken | None = None

    async def receive(self) -> Message:
        """The next message of the server."""
        if self.is_whole:
            return await self._receive()
        if self.broken:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await self._receive()
            self._look_at(message)
        except TimeoutError:
            self.broken = _Broken(
                TOO_SLOW, "TooSlow", "The request came too slowly, so it was not waited for."
            )
        except _Broken as broken:
            self.broken = broken
        return {"type": "http.disconnect"} if self.broken else message

    def _look_at(self, message: Message) -> None:
        body = message.get("body", b"")
        self.is_whole = not message.get("more_body", False)
        self.got += len(body)
        if self.got > self._most:
            raise _too_large(self._most)
        if self._is_json:
            self.held += len(body)
            self._bound.hold(len(body), self.held)
            self._signs += sum(body.count(sign) for sign in SIGNS)
            if self._signs > MOST_SIGNS:
                raise _Broken(
                    413,
                    "RequestTooLarge",
                    f"The JSON holds more than {MOST_SIGNS} values; nothing needs so many.",
                )
        took = asyncio.get_running_loop().time() - self._began
        if not self.is_whole and took > SILENT_SECONDS and self.got < took * SLOWEST_BYTES:
            raise _too_slow()


class BodyBound:
    """Refuses bodies that are larger than their route takes, with 413: at once where their length is told,
    else when they have grown past it; `most` bytes where pictures are taken. And with 414 paths that no file
    can have.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(len(name.encode("utf-8", "replace")) > LONGEST_NAME for name in scope["path"].split("/")):
            sentence = (
                f"The address holds a name of more than {LONGEST_NAME} characters; nothing has such a name."
            )
            await refusal(414, sentence, "AddressTooLong")(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._most_of(str(scope["path"]).removeprefix(scope.get("root_path", "")))
        told = headers.get("content-length", "0")
        if not told.isdecimal() or len(told) > LONGEST_LENGTH or int(told) > most:
            if told.isdecimal() and len(told) <= LONGEST_LENGTH and int(told) <= DRAINED_BYTES:
                await _drain(receive)
            await _too_large(most).answer(scope, receive, send)
            return
        is_form = headers.get("content-type", "").startswith("multipart/")
        await self._count(_Reading(self, receive, most, not is_form), scope, receive, send)

    def hold(self, size: int, of_body: int) -> None:
        """Count `size` bytes more among those that are held; `of_body` is how large their body is by now."""
        self._held += size
        if of_body > SMALL_BODY and self._held > ALL_BODIES * self._most:
            raise _Broken(429, "TooMuchAtOnce", "Too much is sent at the same time; send this again later.")

    def _most_of(self, path: str) -> int:
        return self._most if WITH_PICTURES.fullmatch(path) else min(SMALL_BODY, self._most)

    async def _count(self, reading: _Reading, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def watching_send(message: Message) -> None:
            nonlocal answered
            if reading.broken and not answered:
                return
            answered = True
            await send(message)

        try:
            await self._app(scope, reading.receive, watching_send)
        except ClientDisconnect:
            if not reading.broken:
                raise
        finally:
            self._held -= reading.held
        if reading.broken and not answered:
            if not reading.is_whole and not reading.broken.was_slow:
                await _drain(receive)
            await reading.broken.answer(scope, receive, send)


def _too_slow() -> _Broken:
    return _Broken(TOO_SLOW, "TooSlow", "The request came too slowly, so it was not waited for.")


def _too_large(most: int) -> _Broken:
    sentence = f"The request is larger than the {most // MEGABYTE} MB that the program takes here; send less"
    # The bound of routes that take no pictures is no matter of the command line.
    way = "." if most == SMALL_BODY else ", or start it with a larger --max-request-size."
    return _Broken(413, "RequestTooLarge", sentence + way)


async def _drain(receive: Receive) -> None:
    """Read what is left of a body and keep nothing of it, within bounds of size and time."""
    left = DRAINED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


async def received_body(receive: Receive) -> bytes | None:
    """The whole body that `receive` gives; None when its sender has gone."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
