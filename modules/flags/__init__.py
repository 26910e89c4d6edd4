"""The command line: every flag declared once, read into a frozen dataclass. Standard library only."""

from modules.flags.flags import WITHOUT_EFFECT, Flags, described_flags, option_string, unused_flags
from modules.flags.folder_flags import Paths
from modules.flags.parsing import (
    FlagParser,
    add_flags,
    flags_from,
    parse_flags,
    read_words,
    with_absolute_paths,
)
from modules.flags.ports import DEFAULT_PORT, choose_port

__all__ = [
    "DEFAULT_PORT",
    "WITHOUT_EFFECT",
    "FlagParser",
    "Flags",
    "Paths",
    "add_flags",
    "choose_port",
    "described_flags",
    "flags_from",
    "option_string",
    "parse_flags",
    "read_words",
    "unused_flags",
    "with_absolute_paths",
]
