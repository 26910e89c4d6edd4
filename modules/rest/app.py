"""Puts the API's routes onto an application."""

from typing import Any

from fastapi import FastAPI

from modules.house import House
from modules.rest.errors import ErrorAnswer, install_error_answers
from modules.rest.generation import generation_routes
from modules.rest.lists import list_routes
from modules.rest.png_info import png_info_routes
from modules.rest.progress import progress_routes
from modules.rest.settings import settings_routes

__all__ = ["create_api"]


def create_api(app: FastAPI, house: House) -> None:
    """Add every route of the API, and the one shape of its errors, to `app`."""
    install_error_answers(app)
    shape: dict[int | str, dict[str, Any]] = {status: {"model": ErrorAnswer} for status in (404, 422, 500)}
    for routes in (generation_routes, png_info_routes, progress_routes, settings_routes, list_routes):
        app.include_router(routes(house), responses=shape)
