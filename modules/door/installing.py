"""Puts the door before an application."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from modules.door.auth import Guard, Guests
from modules.door.bodies import BodyBound
from modules.door.checks import CallerCheck, CallLog
from modules.door.credentials import read_users
from modules.door.hosts import Callers
from modules.door.sessions import EndedSessions, Sessions, session_key
from modules.flags import Flags

__all__ = ["install_door"]

MEGABYTE = 2**20


def install_door(
    app: FastAPI, flags: Flags, key_file: Path, ended_sessions: EndedSessions | None = None
) -> None:
    """Let every request to `app` pass the checks that `flags` ask for; `key_file` keeps the sessions' key,
    `ended_sessions` which of them were ended.

    Raises InvalidRequest for names, passwords or patterns that are none.
    """
    guests = Guests.of(
        read_users("gradio_auth", flags.gradio_auth, flags.gradio_auth_path),
        read_users("api_auth", flags.api_auth),
    )
    # The last one added is asked first.
    if guests.page:
        key = session_key(key_file, guests.page.fingerprint)
        app.add_middleware(Guard, guests=guests, sessions=Sessions(key, ended=ended_sessions))
    app.add_middleware(BodyBound, most=flags.max_request_size * MEGABYTE)
    callers = Callers.from_flags(flags)
    if callers.invites_anybody:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(callers.origins),
            allow_origin_regex=callers.origin_pattern.pattern if callers.origin_pattern else None,
            allow_methods=["*"],
            allow_headers=["*"],
            # Every page there is may then read answers, but not with the person's own session.
            allow_credentials="*" not in callers.origins,
        )
    app.add_middleware(CallerCheck, callers=callers)
    if flags.api_log:
        app.add_middleware(CallLog)
