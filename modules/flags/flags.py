"""All flags in one frozen dataclass, declared by subject in the files beside this one."""

import dataclasses

from modules.flags.declare import FlagGroup, FlagInfo, flag_info
from modules.flags.device_flags import DeviceFlags
from modules.flags.door_flags import DoorFlags
from modules.flags.folder_flags import FolderFlags
from modules.flags.later_flags import LaterFlags
from modules.flags.server_flags import SavingFlags, ServerFlags
from modules.flags.start_flags import StartFlags
from modules.flags.unused_flags import UnusedFlags
from modules.flags.worker_flags import WorkerFlags

__all__ = ["WITHOUT_EFFECT", "Flags", "described_flags", "option_string", "unused_flags"]

WITHOUT_EFFECT = frozenset({FlagGroup.LATER, FlagGroup.UNUSED})
"""Groups of flags that are accepted and do nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flags(
    FolderFlags,
    ServerFlags,
    DoorFlags,
    DeviceFlags,
    WorkerFlags,
    SavingFlags,
    StartFlags,
    LaterFlags,
    UnusedFlags,
):
    """The command line as it was given. `Flags()` is the command line without any flag."""

    @property
    def exposed_by(self) -> str | None:
        """The flag that lets others than this machine reach the program, by itself or through a proxy.

        None if there is none. With one, what could run code or change files is closed,
        unless a flag opens it.
        """
        elsewhere = self.server_name not in (None, "", "127.0.0.1", "localhost", "::1")
        given = (
            ("--listen", self.listen),
            ("--share", self.share),
            ("--server-name", elsewhere),
            ("--allowed-hosts", self.allowed_hosts),
            ("--subpath", self.subpath),
        )
        return next((name for name, is_given in given if is_given), None)

    @property
    def files_closed_by(self) -> str | None:
        """The flag of `exposed_by`, unless `--enable-insecure-folder-access` opens what writes files and
        names folders. None: it is open.
        """
        return None if self.enable_insecure_folder_access else self.exposed_by


def described_flags() -> dict[str, FlagInfo]:
    """Every flag's declaration, by the name of its field."""
    return {field.name: flag_info(field) for field in dataclasses.fields(Flags)}


def option_string(name: str) -> str:
    """The spelling of the field `name` on the command line: `data_dir` is `--data-dir`."""
    return described_flags()[name].spelling or "--" + name.replace("_", "-")


def unused_flags(flags: Flags) -> dict[str, str]:
    """Flags that were given but have no effect, with the sentence that says why."""
    return {
        option_string(field.name): _why_unused(flag_info(field))
        for field in dataclasses.fields(flags)
        if flag_info(field).group in WITHOUT_EFFECT and getattr(flags, field.name) != field.default
    }


def _why_unused(info: FlagInfo) -> str:
    return info.help if info.group is FlagGroup.UNUSED else "This version does not have what it is about."
