"""Settings and flags over the API."""

import dataclasses
from typing import Any

from fastapi import APIRouter, Body

from modules.door import Router
from modules.flags import Flags
from modules.house import House
from modules.rest.errors import error_statuses
from modules.rest.sdapi.answers import Empty
from modules.rest.sdapi.list_answers import QuicksettingsHint
from modules.settings import Options, describe_options

__all__ = ["SECRET_FLAGS", "settings_routes"]

SECRET_FLAGS = ("gradio_auth", "api_auth", "ngrok")
EXAMPLE = {"CLIP_stop_at_last_layers": 2, "samples_format": "webp"}


def settings_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(tags=["settings"], responses=error_statuses())

    @router.get("/sdapi/v1/options")
    def get_options() -> Options:
        """Every setting with its value."""
        return house.store.options

    @router.post("/sdapi/v1/options", responses=error_statuses(404, 422))
    def set_options(values: dict[str, Any] = Body(default_factory=dict, examples=[EXAMPLE])) -> Empty:  # noqa: B008
        """Change settings; one wrong value changes nothing."""
        house.change_settings(values)
        return Empty()

    @router.get("/sdapi/v1/cmd-flags")
    def cmd_flags() -> Flags:
        """The command line that the program was started with; passwords are not told."""
        hidden: dict[str, Any] = dict.fromkeys(SECRET_FLAGS)
        return dataclasses.replace(house.folders.told(house.flags), **hidden)

    @router.get("/internal/quicksettings-hint")
    def quicksettings_hint() -> list[QuicksettingsHint]:
        """Every setting by key and label, for choosing those at the top of the page."""
        return [QuicksettingsHint(name=info.key, label=info.label) for info in describe_options()]

    return router
