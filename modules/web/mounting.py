"""Puts the page onto an application: theme, styles, scripts, static files, Gradio's own routes."""

import html
import os
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from modules.house import House
from modules.version import VERSION
from modules.web.page import build_page
from modules.web.routes import page_routes
from modules.web.theme import make_theme

__all__ = ["mount"]

STATIC = Path(__file__).parent / "static"
STATIC_URL = "/internal/web/static"
# The order counts: later scripts use what earlier ones define.
SCRIPTS = (
    "page",
    "tabs",
    "folds",
    "notices",
    "dialogs",
    "gallery",
    "lightbox",
    "progress",
    "prompt_keys",
    "token_counter",
    "form_memory",
    "sliders",
    "hires",
    "drop_picture",
    "settings",
)
STYLES = ("page", "form", "results", "settings", "icons")


def mount(app: FastAPI, house: House) -> None:
    """Serve the page over `house` at `/` of `app`. Other routes have to be on `app` before."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    app.include_router(page_routes(house))
    app.mount(STATIC_URL, StaticFiles(directory=STATIC), name="easel-static")
    page = build_page(house)
    page.queue(default_concurrency_limit=None, api_open=False)
    gr.set_static_paths([house.folders.outputs])
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=make_theme(),
        css_paths=[STATIC / "css" / f"{name}.css" for name in STYLES],
        head=_head(house),
        favicon_path=str(STATIC / "favicon.png"),
        footer_links=[],
        run_history=False,
        allowed_paths=[str(house.folders.outputs), str(house.folders.log)],
        show_error=True,
        ssr_mode=False,
    )


def _head(house: House) -> str:
    """Tags for the page's head.

    The version in the addresses makes browsers fetch scripts anew after an update.
    """
    stamp = f"{VERSION}-{max(int(path.stat().st_mtime) for path in (STATIC / 'js').iterdir()):x}"
    theme = house.flags.theme or ""
    icon = f'<link rel="icon" href="{STATIC_URL}/favicon.svg" type="image/svg+xml">'
    scripts = "".join(f'<script src="{STATIC_URL}/js/{name}.js?{stamp}" defer></script>' for name in SCRIPTS)
    return f'<meta name="easel-theme" content="{html.escape(theme)}">{icon}{scripts}'
