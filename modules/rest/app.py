"""Puts the API's routes onto an application."""

from fastapi import FastAPI

from modules.door import HostAct, is_open_to
from modules.house import House
from modules.rest.document import DESCRIPTION, TAGS
from modules.rest.easel.jobs import job_routes
from modules.rest.easel.merges import merge_routes
from modules.rest.easel.networks import card_routes
from modules.rest.easel.pictures import picture_routes
from modules.rest.easel.queue import queue_routes
from modules.rest.easel.verify import verify_routes
from modules.rest.errors import document_statuses_of_form, install_error_answers
from modules.rest.pictures import GivenPictures
from modules.rest.previews import PreviewEncoder
from modules.rest.sdapi.extra_networks import card_file_routes
from modules.rest.sdapi.extras import extras_routes
from modules.rest.sdapi.generation import generation_routes
from modules.rest.sdapi.interrogate import interrogate_routes
from modules.rest.sdapi.lists import list_routes
from modules.rest.sdapi.machine import machine_routes
from modules.rest.sdapi.networks import network_routes
from modules.rest.sdapi.png_info import png_info_routes
from modules.rest.sdapi.progress import progress_routes
from modules.rest.sdapi.scripts import script_routes
from modules.rest.sdapi.settings import settings_routes
from modules.rest.server_control import ServerControl, control_routes

__all__ = ["create_api"]


def create_api(app: FastAPI, house: House, control: ServerControl | None = None) -> None:
    """Add every route of the API, and the one shape of its errors, to `app`.

    The routes that end the server are there only with `--api-server-stop` and a `control`.
    """
    app.description = DESCRIPTION
    app.openapi_tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    install_error_answers(app)
    document_statuses_of_form(app)
    previews, given = PreviewEncoder(), GivenPictures(house)
    for giving in (generation_routes, extras_routes, interrogate_routes):
        app.include_router(giving(house, given))
    for routes in (settings_routes, machine_routes, list_routes, network_routes):
        app.include_router(routes(house))
    app.include_router(png_info_routes(given))
    app.include_router(script_routes())
    app.include_router(progress_routes(house, previews))
    app.include_router(job_routes(house, given))
    app.include_router(picture_routes(house, previews))
    app.include_router(queue_routes(house))
    app.include_router(card_routes(house))
    app.include_router(card_file_routes(house))
    app.include_router(merge_routes(house))
    app.include_router(verify_routes(house, given))
    if control and is_open_to(house.flags, HostAct.END_SERVER):
        app.include_router(control_routes(control, house.flags))
