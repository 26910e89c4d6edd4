"""Names and passwords: who is let in, and how the others are told."""

import asyncio
import base64
import binascii
import ipaddress
import json
from dataclasses import dataclass
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.door.answers import refusal
from modules.door.credentials import Users
from modules.door.login_page import login_page
from modules.door.sessions import COOKIE, LIFETIME, Sessions
from modules.door.throttle import PATIENCE, Throttle

__all__ = ["Guard", "Guests"]

API = ("/sdapi/", "/easel/", "/docs", "/redoc", "/openapi.json")
OPEN = frozenset({"/internal/ping"})
"""Launchers ask here whether the program serves."""
LOGIN, LOGOUT = "/login", "/logout"
LONGEST_FORM = 10_000
POLICY_VIOLATION = 1008
WRONG = "This name and password are not known here."


@dataclass(frozen=True)
class Guests:
    """Who may use the page, and who the API. The page calls the API, so who is on the page may too."""

    page: Users
    api: Users

    @classmethod
    def of(cls, page: Users, api: Users) -> "Guests":
        """Where only one of the two was named, it guards the other too: an open API behind a closed page
        protects nothing, nor does an open page before a closed API.
        """
        return cls(page or api, api or page)


class Guard:
    """Lets in who has a session, or sends name and password along (HTTP Basic, RFC 7617)."""

    def __init__(self, app: ASGIApp, guests: Guests, sessions: Sessions) -> None:
        self._app, self._guests, self._sessions = app, guests, sessions
        self._throttle = Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = _path(scope)
        answer: Response | None
        if scope["type"] == "http" and path in (LOGIN, LOGOUT):
            answer = await self._log_in_or_out(Request(scope, receive), path)
        elif path in OPEN or self._has_session(scope):
            await self._app(scope, receive, send)
            return
        else:
            answer = await self._judge(scope, path)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "not logged in"})
        else:
            await answer(scope, receive, send)

    def _has_session(self, scope: Scope) -> bool:
        token = Request({**scope, "type": "http"}).cookies.get(COOKIE, "")
        return self._sessions.is_valid(token)

    async def _judge(self, scope: Scope, path: str) -> Response | None:
        """None for who is let in, else the answer."""
        is_api = path.startswith(API)
        given = _basic(Headers(scope=scope).get("authorization", ""))
        if given is None:
            return _who_are_you(scope, path, is_api)
        users = self._guests.api if is_api else self._guests.page
        return await self._refused(_address(scope), users, *given)

    async def _refused(self, address: str, users: Users, name: str, password: str) -> Response | None:
        """None for a right password; a wrong one makes the next attempts of this address wait."""
        wait = self._throttle.wait(address)
        if wait is None:
            return refusal(429, "Too many wrong passwords; try again in a minute.", "TooManyAttempts",
                           {"retry-after": str(int(PATIENCE))})  # fmt: skip
        if wait:
            await asyncio.sleep(wait)
        if users.knows(name, password):
            self._throttle.succeeded(address, name)
            return None
        self._throttle.failed(address, name)
        return refusal(
            401, WRONG, "NotLoggedIn", {"www-authenticate": 'Basic realm="Easel", charset="UTF-8"'}
        )

    async def _log_in_or_out(self, request: Request, path: str) -> Response:
        home = request.scope.get("root_path", "") + "/"
        if path == LOGOUT:
            if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
                self._sessions.end(request.cookies.get(COOKIE, ""))
            answer: Response = RedirectResponse(home.rstrip("/") + LOGIN, 303)
            answer.delete_cookie(COOKIE, path=home)
            return answer
        if request.method == "POST":
            return await self._log_in(request, home)
        return HTMLResponse(login_page("login", request.query_params.get("next", "")))

    async def _log_in(self, request: Request, home: str) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        form = await _form(request)
        name, password, after = (form.get(key, "") for key in ("username", "password", "next"))
        refused = await self._refused(_address(request.scope), self._guests.page, name, password)
        if refused is not None:
            if not wants_page:
                return refused
            sentence = json.loads(bytes(refused.body))["detail"]
            return HTMLResponse(login_page("login", after, sentence), refused.status_code)
        target = home.rstrip("/") + after if _is_local(after) else home
        answer = RedirectResponse(target, 303) if wants_page else JSONResponse({"success": True})
        answer.set_cookie(
            COOKIE,
            self._sessions.new_token(),
            max_age=LIFETIME,
            path=home,
            secure=_is_encrypted(request),
            httponly=True,
            samesite="lax",
        )
        return answer


def _path(scope: Scope) -> str:
    """The path below the prefix of a proxy."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _address(scope: Scope) -> str:
    """Whose attempts count together: one address, of IPv6 the network that one owner has."""
    text = str(scope["client"][0]) if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else text


def _is_encrypted(request: Request) -> bool:
    """Whether the person's browser speaks HTTPS, with the program or with a proxy before it."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))


def _who_are_you(scope: Scope, path: str, is_api: bool) -> Response:
    """To a person the login page; to a program what it needs. The page's own calls must not make the browser
    ask in a window of its own.
    """
    headers = Headers(scope=scope)
    if not is_api and scope.get("method") == "GET" and "text/html" in headers.get("accept", ""):
        target = scope.get("root_path", "") + LOGIN
        return RedirectResponse(target if path == "/" else f"{target}?next={quote(path)}", 303)
    challenge = {"www-authenticate": 'Basic realm="Easel", charset="UTF-8"'} if is_api else {}
    return refusal(401, "A name and a password are asked for here.", "NotLoggedIn", challenge)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, password) if colon else ("", "")


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return {}
    return {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}


def _is_local(path: str) -> bool:
    """Whether `path` can only lead back to this program."""
    return path.startswith("/") and not path.startswith(("//", "/\\"))
