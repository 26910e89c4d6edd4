"""Puts the page onto an application: theme, styles, scripts, static files, Gradio's own routes."""

import hashlib
import html
import os
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import Mount

from modules.door import root_path
from modules.house import House
from modules.web.batch_routes import batch_routes
from modules.web.extra_networks_routes import network_routes
from modules.web.extras_routes import extras_routes
from modules.web.gradio_door import PageDoor, close_gradio_routes
from modules.web.page import build_page
from modules.web.page_answers import FOR_EVER, CompressedText, PageHead
from modules.web.routes import page_routes
from modules.web.sending_routes import sending_routes
from modules.web.served_files import ServedFiles, serve_files
from modules.web.sessions import bound_sessions
from modules.web.theme import make_theme
from modules.web.uploads import Uploads

__all__ = ["MountedPage", "mount"]

STATIC = Path(__file__).parent / "static"
STATIC_URL = "/internal/web/static"
SCRIPT_URL = "/internal/web/page.js"
# Later scripts use what earlier ones define.
SCRIPTS = (
    "page",
    "frames",
    "tabs",
    "folds",
    "notices",
    "layers",
    "dialogs",
    "picture_places",
    "kept_pictures",
    "gallery",
    "lightbox",
    "connection",
    "progress",
    "follower",
    "tasks",
    "editing",
    "verify",
    "queue_row",
    "queue_tab",
    "queue_actions",
    "prompt_keys",
    "token_counter",
    "native_size",
    "form_memory",
    "sliders",
    "menus",
    "hires",
    "script_menu",
    "sending",
    "interrogate",
    "extras",
    "batch",
    "merger_shown",
    "merger_rows",
    "merger",
    "outpaint_drawing",
    "outpaint_hands",
    "outpaint",
    "picture_wells",
    "drawing_editors",
    "drawing_keys",
    "prompt_history",
    "img2img",
    "memory_offers",
    "drop_picture",
    "settings",
    "page_options",
    "network_prompts",
    "network_pane",
    "networks",
    "network_editor",
)
STYLES = (
    "page",
    "form",
    "results",
    "queue",
    "settings",
    "img2img",
    "outpaint",
    "extras",
    "batch",
    "merger",
    "icons",
    "interrogate",
    "script_menu",
    "networks",
    "over_pictures",
)


class MountedPage(NamedTuple):
    """The page's own application below the program's, and the folder of what is uploaded to it."""

    app: FastAPI
    uploads: Uploads


def mount(app: FastAPI, house: House) -> MountedPage:
    """Serve the page over `house` at `/` of `app`. Other routes have to be on `app` before."""
    uploads = Uploads(house.folders)
    served = ServedFiles(house, uploads.folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    app.include_router(page_routes(house))
    app.include_router(batch_routes(house))
    app.include_router(extras_routes(house))
    app.include_router(sending_routes(house))
    app.include_router(network_routes(house))
    script = _scripts()

    @app.get(SCRIPT_URL, include_in_schema=False)
    def page_script(request: Request) -> Response:
        headers = {"Cache-Control": FOR_EVER if request.url.query == script.digest else "no-cache"}
        return Response(script.text, media_type="text/javascript", headers=headers)

    app.mount(STATIC_URL, StaticFiles(directory=STATIC), name="easel-static")
    close_gradio_routes(app)
    serve_files(app, served)
    page = build_page(house)
    # Gradio checks the paths that callers name only on pages that it launched itself.
    page.has_launched = True
    bound_sessions(page)
    gr.set_static_paths([house.folders.outputs])
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=make_theme(),
        css_paths=[STATIC / "css" / f"{name}.css" for name in STYLES],
        favicon_path=str(STATIC / "favicon.png"),
        footer_links=[],
        run_history=False,
        allowed_paths=[
            str(house.folders.outputs),
            str(house.folders.log),
            str(house.folders.place(house.store.options.outdir_save)),
            *map(str, house.flags.gradio_allowed_path),
        ],
        show_error=True,
        ssr_mode=False,
        root_path=root_path(house.flags),
    )
    gradio_app = next(route.app for route in app.routes if isinstance(route, Mount) and not route.path)
    assert isinstance(gradio_app, FastAPI)
    gradio_app.add_middleware(PageDoor, page=page, uploads=uploads)
    # The last one added is the outer one.
    app.add_middleware(PageHead, tags=_head(house, script.digest))
    app.add_middleware(CompressedText)
    return MountedPage(gradio_app, uploads)


class _Script(NamedTuple):
    """All scripts as one, and a digest that changes with them."""

    text: str
    digest: str


def _scripts() -> _Script:
    text = "\n".join((STATIC / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return _Script(text, hashlib.sha256(text.encode()).hexdigest()[:10])


def _head(house: House, digest: str) -> str:
    """Tags for the page's head, their addresses relative to the page, which a proxy may show under a path.

    The script waits for the page's elements, and is run before Gradio's. The digest in the address makes
    browsers fetch a changed one anew.
    """
    icon = f'<link rel="icon" href=".{STATIC_URL}/favicon.svg" type="image/svg+xml">'
    theme = f'<meta name="easel-theme" content="{html.escape(house.flags.theme or "")}">'
    return f'{theme}{icon}<script defer src=".{SCRIPT_URL}?{digest}"></script>'
