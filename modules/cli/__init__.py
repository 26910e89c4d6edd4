"""The command line: the server, or pictures without one. Reading it takes the standard library only."""

from modules.cli.command import Command, Drawing, parse_command
from modules.cli.program import main

__all__ = ["Command", "Drawing", "main", "parse_command"]
