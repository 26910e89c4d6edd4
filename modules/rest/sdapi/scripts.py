"""Scripts and extensions: the lists that clients look into first. This version has no extensions."""

from fastapi import APIRouter

from modules.door import Router
from modules.rest.errors import error_statuses
from modules.rest.sdapi.list_answers import ExtensionItem, ScriptArgument, ScriptItem, ScriptsAnswer
from modules.workflows import MENU, Argument, Tab

__all__ = ["script_routes"]


def script_routes() -> APIRouter:
    """The routes of this file."""
    router = Router(prefix="/sdapi/v1", tags=["lists"], responses=error_statuses())

    @router.get("/scripts")
    def scripts() -> ScriptsAnswer:
        """Names of the scripts by tab, in lower case; `script_name` takes them so or as the menu has them."""
        return ScriptsAnswer(txt2img=_names(Tab.TXT2IMG), img2img=_names(Tab.IMG2IMG))

    @router.get("/script-info")
    def script_info() -> list[ScriptItem]:
        """The scripts with the arguments they take, in the order of `script_args`."""
        return [*_items(Tab.TXT2IMG), *_items(Tab.IMG2IMG)]

    @router.get("/extensions")
    def extensions() -> list[ExtensionItem]:
        """The installed extensions."""
        return []

    return router


def _names(tab: Tab) -> list[str]:
    return [workflow.title.lower() for workflow in MENU.on(tab)]


def _items(tab: Tab) -> list[ScriptItem]:
    return [
        ScriptItem(
            name=workflow.title.lower(),
            is_alwayson=False,
            is_img2img=tab is Tab.IMG2IMG,
            args=[_item(argument) for argument in workflow.described_arguments()],
        )
        for workflow in MENU.on(tab)
    ]


def _item(argument: Argument) -> ScriptArgument:
    return ScriptArgument(
        label=argument.label,
        value=argument.default,
        minimum=argument.minimum,
        maximum=argument.maximum,
        step=argument.step,
        choices=list(argument.choices) if argument.choices is not None else None,
    )
