"""Serving: one FastAPI application with the page and the API, started and ended cleanly."""

import asyncio
import logging
import os
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from modules.door import install_door, root_path
from modules.door.connections import Connections, backlog_for, bound_for, descriptors, protocol_for
from modules.errors import EaselError, InvalidRequest
from modules.flags import Flags, choose_port, with_absolute_paths
from modules.folders import PROGRAM
from modules.house import House, make_house
from modules.jobs.workers import draws_here
from modules.rest import Ending, ServerControl, create_api, install_error_answers
from modules.starting import StartClock, missing_card
from modules.version import VERSION

if TYPE_CHECKING:
    from modules.web import MountedPage

__all__ = ["create_app", "serve"]

log = logging.getLogger(__name__)

ANSWER_SECONDS = 0.3
"""How long a server that is to end at once may take to say that it does."""


def create_app(house: House, control: ServerControl | None = None) -> FastAPI:
    """The application over `house`: the API always, the page unless `--nowebui`. `control` lets the API end
    the server, where a flag allows it.

    Closing it stops the queue. Raises InvalidRequest for names, passwords and origins that are none.
    """

    pages: list[MountedPage] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()
        for page in pages:
            page.uploads.remove()

    app = FastAPI(title="Easel", version=VERSION, lifespan=lifespan, docs_url="/docs", redoc_url=None)
    create_api(app, house, control)
    if not house.flags.nowebui:
        from modules.web import mount

        pages.append(mount(app, house))
        install_error_answers(pages[0].app)
    install_door(app, house.flags, house.folders.session_key_file, house.queue.ended_sessions)
    return app


class _Server(uvicorn.Server):
    """Ends the work before the doors close, so that whoever waits for pictures still gets an answer."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self._house = house

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn after Ctrl-C; the second Ctrl-C stops the waiting too."""
        ending = threading.Thread(target=self._house.close, name="easel-ending", daemon=True)
        ending.start()
        while ending.is_alive() and not self.force_exit:
            await asyncio.sleep(0.05)
        # Streams to open pages never end by themselves; that they are cut now is no error to report.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def _obey(server: uvicorn.Server, ending: Ending) -> None:
    """Let `server` end as somebody asked over the API; returns at once, so that the asker gets an answer."""
    if ending is Ending.KILL:
        threading.Timer(ANSWER_SECONDS, os._exit, (0,)).start()
    else:
        server.should_exit = True


def _start_anew(called_from: Path) -> int:
    """The program again, with the same command line, in this process's place; the exit status."""
    log.info("Starting anew.")
    with suppress(OSError):
        os.chdir(called_from)
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name != "nt":
        os.execv(sys.executable, command)
    # On Windows a process is not replaced: the console would not wait for the new one.
    return subprocess.call(command)


def _check_certificate(flags: Flags) -> None:
    """Raises InvalidRequest for a key without its certificate, for files that are none or that ask for a
    password, and for what --share cannot be used with.
    """
    if (flags.tls_keyfile is None) != (flags.tls_certfile is None):
        raise InvalidRequest(
            "tls_keyfile", "--tls-keyfile and --tls-certfile go together: give both or none."
        )
    if flags.share and (flags.tls_certfile or flags.server_name):
        raise InvalidRequest(
            "share",
            "--share brings its own HTTPS: leave --tls-... and --server-name out.",
        )
    if flags.tls_certfile and flags.tls_keyfile:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                flags.tls_certfile, flags.tls_keyfile, password=lambda: ""
            )
        except (OSError, ssl.SSLError) as error:
            raise InvalidRequest(
                "tls_certfile",
                f"{flags.tls_certfile} and {flags.tls_keyfile} cannot be used for HTTPS: {error}. They have "
                "to be a certificate and its key in PEM form.",
            ) from error


def _local_url(flags: Flags, host: str, port: int) -> str:
    scheme = "https" if flags.tls_certfile else "http"
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}"


def _share(flags: Flags, port: int) -> None:
    """Show the page on the internet through Gradio's relay, which is fetched because the person said so."""
    from gradio.exceptions import ChecksumMismatchError, ShareCertificateWriteError
    from gradio.networking import setup_tunnel

    try:
        url = setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None)
    except (RuntimeError, OSError, ValueError, ShareCertificateWriteError, ChecksumMismatchError) as error:
        log.error("--share: the relay could not be reached, so the page is on this machine alone: %s", error)
    else:
        log.info("Running on public URL:  %s%s", url, root_path(flags))


def _load_first_model(house: House) -> None:
    try:
        house.engine.preload(house.store.options)
    except EaselError as error:
        log.warning("No checkpoint is loaded yet: %s", error)


def serve(flags: Flags) -> int:
    """Start the server and stay until it is told to end; the exit status.

    Raises EaselError when it cannot start.
    """
    flags, called_from = with_absolute_paths(flags), Path.cwd()
    # Gradio may show what lies below the working folder, which could be anybody's home.
    os.chdir(PROGRAM)
    _check_certificate(flags)
    started, clock = time.monotonic(), StartClock(flags.log_startup)
    host = flags.server_name or ("0.0.0.0" if flags.listen else "127.0.0.1")
    port = choose_port(host, flags.port)
    house = make_house(flags)
    clock.step("folders, settings, models' names")
    house.queue.open()
    house.batches.open()
    clock.step("queue and batches")
    control = ServerControl()
    app = create_app(house, control)
    clock.step("API and page")
    loader = None
    if not flags.skip_load_model_at_start and draws_here(flags, house.engine):
        loader = threading.Thread(target=_load_first_model, args=(house,), name="easel-loader", daemon=True)
        loader.start()
    if sentence := missing_card(flags, house.engine.policy.device.type):
        log.warning(sentence)
    url = _local_url(flags, host, port)
    log.info("Running on local URL:  %s  (ready after %.1f s)", url, time.monotonic() - started)
    if flags.exposed_by and not (flags.gradio_auth or flags.gradio_auth_path or flags.api_auth):
        log.warning("%s lets anybody who finds the address use it; --gradio-auth asks for a password.",
                    flags.exposed_by)  # fmt: skip
    if flags.share:
        threading.Thread(target=_share, args=(flags, port), name="easel-share", daemon=True).start()
    if flags.autolaunch and not flags.nowebui:
        threading.Timer(1.0, webbrowser.open, (url,)).start()
    available = descriptors()
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_keep_alive=flags.timeout_keep_alive,
            timeout_graceful_shutdown=3,
            http=protocol_for(Connections(bound_for(available))),
            backlog=backlog_for(available),
            ssl_keyfile=flags.tls_keyfile,
            ssl_certfile=flags.tls_certfile,
            root_path=root_path(flags),
            # Whoever may write X-Forwarded-For could be anybody, and the door counts failures by address.
            proxy_headers=False,
        ),
        house,
    )
    control.on_ask = lambda ending: _obey(server, ending)
    server.run()
    return _start_anew(called_from) if control.asked is Ending.RESTART else 0
