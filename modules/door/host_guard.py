"""The one guard for what acts on the machine that the program runs on, and not only inside the program.

Everybody who may use the program may draw, queue, save among the outputs and change settings. What is named
here is for the person at the machine: it starts programs there, writes files that others rely on, or ends the
program. Each route and each event of the page that does so asks `refuse_strangers` first.
"""

from enum import Enum

from modules.errors import Closed
from modules.flags import Flags

__all__ = ["HostAct", "is_open_to", "refuse_strangers"]


class HostAct(Enum):
    """What acts on the machine. The value says what a stranger is told about it."""

    OPEN_FOLDER = "A folder is opened only for somebody at the machine that it is on"
    WRITE_MODELS = "Checkpoints are not written for strangers"
    WRITE_CARDS = "Nobody else than the person at the machine writes into the folders of models"
    END_SERVER = "The server is not ended or restarted over the API"


ALWAYS_HERE = frozenset({HostAct.OPEN_FOLDER})
"""What shows something on the machine's own screen, so that no flag opens it to others."""


def is_open_to(flags: Flags, act: HostAct) -> bool:
    """Whether those who can reach the program may do this, as the command line stands."""
    if act is HostAct.END_SERVER:
        return flags.api_server_stop or flags.add_stop_route
    if act in ALWAYS_HERE:
        return not (flags.exposed_by or flags.hide_ui_dir_config)
    return flags.files_closed_by is None


def refuse_strangers(flags: Flags, act: HostAct) -> None:
    """Raises Closed where others than the person at this machine can reach the program and no flag lets them
    do `act`.
    """
    if is_open_to(flags, act):
        return
    if act is HostAct.END_SERVER:
        raise Closed(f"{act.value}. Start the program with --api-server-stop.")
    closed_by = flags.exposed_by or "--hide-ui-dir-config"
    way = "" if act in ALWAYS_HERE else " Start it with --enable-insecure-folder-access too."
    raise Closed(f"{act.value}, and the program was started with {closed_by}.{way}")
