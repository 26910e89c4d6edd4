"""Scripts and extensions: the lists that clients look into first. This version has none of either."""

from fastapi import APIRouter

from modules.rest.errors import error_statuses
from modules.rest.sdapi.list_answers import ExtensionItem, ScriptItem, ScriptsAnswer

__all__ = ["script_routes"]


def script_routes() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(prefix="/sdapi/v1", tags=["lists"], responses=error_statuses())

    @router.get("/scripts")
    def scripts() -> ScriptsAnswer:
        """Names of the scripts by tab."""
        return ScriptsAnswer(txt2img=[], img2img=[])

    @router.get("/script-info")
    def script_info() -> list[ScriptItem]:
        """The scripts with the arguments they take."""
        return []

    @router.get("/extensions")
    def extensions() -> list[ExtensionItem]:
        """The installed extensions."""
        return []

    return router
