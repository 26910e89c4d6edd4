"""How a flag is declared: a dataclass field that carries its help, group and shape for argparse."""

import dataclasses
from collections.abc import Callable
from enum import StrEnum
from typing import Any

__all__ = ["FlagGroup", "FlagInfo", "flag", "flag_info", "path_flag"]

_KEY = "flag"


class FlagGroup(StrEnum):
    """The headings of `--help`, in their order."""

    FOLDERS = "Folders and files"
    SERVER = "Server and page"
    DOOR = "Who may call, and from where"
    DEVICE = "Device, precision and memory"
    WORKERS = "Several workers"
    SAVING = "Saving and settings"
    START = "Installing and starting"
    LATER = "Known, without effect in this version"
    UNUSED = "Accepted for the field's habits, without effect here"


@dataclasses.dataclass(frozen=True)
class FlagInfo:
    """What `--help` and argparse need to know about a flag beyond its name, type and default.

    repeatable: a tuple always. several: paths, one of which stands by itself and more as a tuple.
    """

    help: str
    group: FlagGroup
    choices: tuple[str, ...] = ()
    convert: Callable[[str], Any] | None = None
    nargs: str | None = None
    repeatable: bool = False
    is_path: bool = False
    several: bool = False
    spelling: str | None = None
    store_false: bool = False


def flag(default: Any, help: str, group: FlagGroup, **shape: Any) -> Any:
    """A dataclass field for one flag. `shape` are further fields of `FlagInfo`."""
    return dataclasses.field(default=default, metadata={_KEY: FlagInfo(help=help, group=group, **shape)})


def path_flag(default: Any, help: str, group: FlagGroup, **shape: Any) -> Any:
    """A flag whose value is a path, or with `repeatable` a tuple of paths. Read, it is absolute."""
    return flag(default, help, group, is_path=True, **shape)


def flag_info(field: "dataclasses.Field[Any]") -> FlagInfo:
    """The declaration that `flag` put into `field`."""
    info: FlagInfo = field.metadata[_KEY]
    return info
