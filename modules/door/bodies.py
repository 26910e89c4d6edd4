"""Requests have bounds: their bodies, whether they tell their length or not, and the names in their paths."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.door.answers import refusal

__all__ = ["BodyBound"]

LONGEST_NAME = 255
"""Bytes of a name that file systems have; what is longer names nothing."""
LONGEST_LENGTH = 18
"""Digits of a Content-Length that is looked at."""


class BodyBound:
    """Refuses bodies of more than `most` bytes with 413: at once where their length is told, else when they
    have grown past it. And with 414 paths that no file can have.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if any(len(name.encode()) > LONGEST_NAME for name in scope["path"].split("/")):
            sentence = (
                f"The address holds a name of more than {LONGEST_NAME} characters; nothing has such a name."
            )
            await refusal(414, sentence, "AddressTooLong")(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or len(told) > LONGEST_LENGTH or int(told) > self._most:
            await self._refuse(scope, receive, send)
            return
        await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        got, answered = 0, False

        async def counting_receive() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            # Nothing more is read of a body that is too long: for the application its sender has gone.
            return message if got <= self._most else {"type": "http.disconnect"}

        async def watching_send(message: Message) -> None:
            nonlocal answered
            if got > self._most and not answered:
                return
            answered = True
            await send(message)

        try:
            await self._app(scope, counting_receive, watching_send)
        except ClientDisconnect:
            if got <= self._most:
                raise
        if got > self._most and not answered:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = (
            f"The request is larger than the {self._most // 2**20} MB that the program takes; send less, or "
            "start it with a larger --max-request-size."
        )
        await refusal(413, sentence, "RequestTooLarge", {"connection": "close"})(scope, receive, send)
