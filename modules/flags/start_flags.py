"""Flags of installing and starting."""

from dataclasses import dataclass

from modules.flags.declare import FlagGroup, flag

__all__ = ["StartFlags"]

S = FlagGroup.START


@dataclass(frozen=True, kw_only=True)
class StartFlags:
    """What `launch.py` does before the program runs."""

    reinstall: bool = flag(False, "Make venv/ anew and install everything again.", S)
    reinstall_torch: bool = flag(False, "Install torch again.", S)
    skip_prepare_environment: bool = flag(False, "Start with what is there: no venv, no installing.", S)
    skip_install: bool = flag(False, "Do not install anything.", S)
    skip_python_version_check: bool = flag(False, "Start with any version of Python.", S)
