"""All flags in one frozen dataclass, declared by subject in the files beside this one."""

import dataclasses

from modules.flags.declare import FlagGroup, flag_info
from modules.flags.device_flags import DeviceFlags
from modules.flags.folder_flags import FolderFlags
from modules.flags.server_flags import SavingFlags, ServerFlags
from modules.flags.start_flags import StartFlags
from modules.flags.unused_flags import UnusedFlags

__all__ = ["Flags", "option_string", "unused_flags"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flags(FolderFlags, ServerFlags, DeviceFlags, SavingFlags, StartFlags, UnusedFlags):
    """The command line as it was given. `Flags()` is the command line without any flag."""


def option_string(name: str) -> str:
    """The spelling of the field `name` on the command line: `data_dir` is `--data-dir`."""
    spelled = {field.name: flag_info(field).spelling for field in dataclasses.fields(Flags)}[name]
    return spelled or "--" + name.replace("_", "-")


def unused_flags(flags: Flags) -> dict[str, str]:
    """Flags that were given but have no effect, with the sentence that says why."""
    return {
        option_string(field.name): flag_info(field).help
        for field in dataclasses.fields(flags)
        if flag_info(field).group is FlagGroup.UNUSED and getattr(flags, field.name) != field.default
    }
