"""Where a reverse proxy shows the program."""

from modules.flags import Flags

__all__ = ["root_path"]


def root_path(flags: Flags) -> str:
    """The path under which a proxy shows the program: "" or "/sub", from `--subpath`."""
    path = (flags.subpath or "").strip("/")
    return f"/{path}" if path else ""
