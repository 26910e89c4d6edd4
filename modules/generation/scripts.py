"""What generation knows of the Script menu, whose scripts live above, in `modules.workflows`."""

from typing import Protocol

from PIL import Image

from modules.errors import InvalidRequest
from modules.generation.order import PictureKinds
from modules.generation.script_group import ScriptGroup
from modules.generation.script_plan import Planned

__all__ = ["NoScripts", "ScriptMenu"]


class ScriptMenu(Protocol):
    """The scripts that requests may name. It has no state: the same question has the same answer."""

    def plan(self, request: PictureKinds) -> Planned:
        """What the script of `request` makes of it; an empty answer where it names none.

        Asked once, before the order is accepted; what it answers goes into the order. Raises InvalidRequest
        for a script or an argument that cannot be.
        """

    def draw(self, group: ScriptGroup) -> list[Image.Image]:
        """The pictures of `group`, in its order, drawn as the script of its run says.

        Asked for every group that is drawn, in whatever process or on whatever machine that happens.
        """


class NoScripts:
    """A menu without scripts."""

    def plan(self, request: PictureKinds) -> Planned:
        """Nothing. Raises InvalidRequest for a request that names a script."""
        if request.script_name:
            raise InvalidRequest(
                "script_name", f"There is no script named {request.script_name!r}; there are none here."
            )
        return Planned()

    def draw(self, group: ScriptGroup) -> list[Image.Image]:
        """Raises InvalidRequest: whoever planned the run had scripts."""
        name = group.run.request.script_name
        raise InvalidRequest("script_name", f"There is no script named {name!r}; there are none here.")
