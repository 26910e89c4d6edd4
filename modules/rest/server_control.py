"""Ending and restarting the server over the API: only where a flag allows it."""

from collections.abc import Callable
from enum import StrEnum

from fastapi import APIRouter, Depends

from modules.door import HostAct, Router, refuse_strangers
from modules.flags import Flags
from modules.rest.errors import error_statuses
from modules.rest.sdapi.answers import Empty

__all__ = ["Ending", "ServerControl", "control_routes"]


class Ending(StrEnum):
    """How the server is to end."""

    STOP = "stop"
    """As after Ctrl-C: the running picture ends after its step, everybody gets an answer."""
    RESTART = "restart"
    """The same, and the program starts anew with the same command line."""
    KILL = "kill"
    """At once. What was accepted is kept, since it was written before it was accepted."""


class ServerControl:
    """What somebody asked of the server. Whoever runs the server sets `on_ask` and reads `asked`."""

    def __init__(self) -> None:
        self.asked: Ending | None = None
        self.on_ask: Callable[[Ending], None] = lambda ending: None

    def ask(self, ending: Ending) -> None:
        """Let the server end so; returns at once, so that the caller still gets an answer."""
        self.asked = ending
        self.on_ask(ending)


def control_routes(control: ServerControl, flags: Flags) -> APIRouter:
    """The routes that end `control`'s server."""
    guard = Depends(lambda: refuse_strangers(flags, HostAct.END_SERVER))
    router = Router(prefix="/sdapi/v1", tags=["machine"], responses=error_statuses(), dependencies=[guard])

    @router.post("/server-stop")
    def stop() -> Empty:
        """End the server cleanly, as Ctrl-C does."""
        control.ask(Ending.STOP)
        return Empty()

    @router.post("/server-restart")
    def restart() -> Empty:
        """End the server cleanly and start the program anew with the same command line."""
        control.ask(Ending.RESTART)
        return Empty()

    @router.post("/server-kill")
    def kill() -> Empty:
        """End the server at once."""
        control.ask(Ending.KILL)
        return Empty()

    return router
