"""The command line: every flag declared once, read into a frozen dataclass. Standard library only."""

from modules.flags.flags import Flags, option_string, unused_flags
from modules.flags.parsing import FlagParser, add_flags, environment_arguments, flags_from, parse_flags
from modules.flags.ports import DEFAULT_PORT, choose_port

__all__ = [
    "DEFAULT_PORT",
    "FlagParser",
    "Flags",
    "add_flags",
    "choose_port",
    "environment_arguments",
    "flags_from",
    "option_string",
    "parse_flags",
    "unused_flags",
]
