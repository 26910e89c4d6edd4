"""The Script menu: every workflow there is. To add one, write its file and give it a row here."""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import Img2ImgRequest, PictureKinds, Planned, ScriptGroup, kind_of
from modules.workflows.arguments import read_arguments
from modules.workflows.outpainting_mk2 import OUTPAINTING_MK2
from modules.workflows.poor_mans_outpainting import POOR_MANS_OUTPAINTING
from modules.workflows.workflow import Redrawing, Tab

__all__ = ["MENU", "Menu"]

WORKFLOWS = (OUTPAINTING_MK2, POOR_MANS_OUTPAINTING)


class Menu:
    """Workflows by name, as generation asks for them (its `ScriptMenu`)."""

    def __init__(self, workflows: Sequence[Redrawing[Any]]) -> None:
        self._workflows = tuple(workflows)

    def on(self, tab: Tab) -> tuple[Redrawing[Any], ...]:
        """The workflows that `tab` shows, in the order of the menu."""
        return tuple(workflow for workflow in self._workflows if tab in workflow.tabs)

    def find(self, name: str, tab: Tab) -> Redrawing[Any]:
        """The workflow of that name, in whatever case. Raises InvalidRequest where `tab` has none."""
        for workflow in self._workflows:
            if workflow.title.casefold() != name.strip().casefold():
                continue
            if tab not in workflow.tabs:
                raise InvalidRequest(
                    "script_name",
                    f"{workflow.title} is a script of {', '.join(sorted(workflow.tabs))}, not of {tab}.",
                )
            return workflow
        known = ", ".join(workflow.title for workflow in self.on(tab)) or "none"
        raise InvalidRequest(
            "script_name", f"There is no script named {name!r}; the scripts of {tab} are: {known}."
        )

    def plan(self, request: PictureKinds) -> Planned:
        """What the workflow of `request` makes of it, its name and arguments written out in full."""
        if request.script_name is None:
            return Planned()
        workflow, arguments = self._chosen(request)
        assert isinstance(request, Img2ImgRequest)
        planned = workflow.plan(request, arguments)
        written = {"script_name": workflow.title, "script_args": tuple(arguments.as_list())}
        return Planned({**planned.changes, **written}, planned.plan)

    def draw(self, group: ScriptGroup) -> list[Image.Image]:
        """The pictures of `group` as its workflow draws them."""
        workflow, arguments = self._chosen(group.run.request)
        return workflow.draw(group, arguments)

    def _chosen(self, request: PictureKinds) -> tuple[Redrawing[Any], Any]:
        workflow = self.find(request.script_name or "", Tab(kind_of(request)))
        return workflow, read_arguments(workflow.arguments, workflow.title, request.script_args)


MENU = Menu(WORKFLOWS)
