"""The checks at the door: is the request meant for this program, and may its sender send it?"""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.door.answers import refusal
from modules.door.hosts import Callers, host_of

__all__ = ["CallLog", "CallerCheck"]

log = logging.getLogger(__name__)

POLICY_VIOLATION = 1008


class CallerCheck:
    """Refuses requests that were sent to a foreign name, or by a foreign page, with 403."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app, self._callers = app, callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        sentence = self._objection(scope) if scope["type"] in ("http", "websocket") else None
        if sentence is None:
            await self._app(scope, receive, self._guarded(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "foreign page"})
        else:
            await refusal(403, sentence, "ForeignCaller")(scope, receive, send)

    def _guarded(self, send: Send) -> Send:
        """`send` that forbids browsers to show answers inside foreign pages, or to guess what they are."""

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", "frame-ancestors 'self'")
                headers.setdefault("x-content-type-options", "nosniff")
                if not self._callers.invites_anybody:
                    headers.setdefault("cross-origin-resource-policy", "same-origin")
            await send(message)

        return guarded_send

    def _objection(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        netloc = headers.get("host", "")
        if not self._callers.answers_to(netloc):
            return (
                f"The program does not answer to the name {host_of(netloc)!a}. If it is yours, start the "
                f"program with --allowed-hosts {host_of(netloc) or 'NAME'}."
            )
        if not self._callers.may_send(scope.get("method", "WEBSOCKET"), headers):
            return (
                "A page of another site sent this, so nothing was done. If it may, start the program with "
                "--cors-allow-origins and the site's origin."
            )
        return None


class CallLog:
    """Writes each request to the log: method, path, status, milliseconds. Never bodies, queries or names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            took = (time.perf_counter() - started) * 1000
            log.info("%s %s %d %.0f ms", scope["method"], ascii(scope["path"])[1:-1], status, took)
