"""Flags of installing, starting and extensions."""

from dataclasses import dataclass

from modules.flags.declare import FlagGroup, flag

__all__ = ["StartFlags"]

I = FlagGroup.START  # noqa: E741
E = FlagGroup.EXTENSIONS


@dataclass(frozen=True, kw_only=True)
class StartFlags:
    """What `launch.py` does before the program runs."""

    reinstall: bool = flag(False, "Make venv/ anew and install everything again.", I)
    reinstall_torch: bool = flag(False, "Install torch again.", I)
    skip_prepare_environment: bool = flag(False, "Start with what is there: no venv, no installing.", I)
    skip_install: bool = flag(False, "Do not install anything.", I)
    skip_python_version_check: bool = flag(False, "Start with any version of Python.", I)
