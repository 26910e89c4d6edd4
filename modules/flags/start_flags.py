"""Flags of installing and starting."""

from dataclasses import dataclass

from modules.flags.declare import FlagGroup, flag

__all__ = ["StartFlags"]

S = FlagGroup.START


@dataclass(frozen=True, kw_only=True)
class StartFlags:
    """What happens before and while the program starts."""

    reinstall: bool = flag(False, "Make venv/ anew and install everything again.", S)
    reinstall_torch: bool = flag(False, "Install torch again.", S)
    reinstall_xformers: bool = flag(False, "Install xformers again, as --xformers does at first.", S)
    skip_prepare_environment: bool = flag(False, "Start with what is there: no venv, no installing.", S)
    skip_install: bool = flag(False, "Do not install anything.", S)
    log_startup: bool = flag(False, "Write to the log how long each step of the start took.", S)
    dump_sysinfo: bool = flag(False, "Write a file about program and machine into this folder, and end.", S)
    test_server: bool = flag(
        False, "Start as tests do: with the API, on the CPU, and without opening a browser.", S
    )
    skip_python_version_check: bool = flag(False, "Start with any version of Python.", S)
