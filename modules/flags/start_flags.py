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
    skip_torch_cuda_test: bool = flag(False, "Do not say so when torch cannot use the graphics card.", I)
    test_server: bool = flag(False, "Start as the tests do: on the CPU, without opening a browser.", I)
    log_startup: bool = flag(False, "Write to the log how long each step of the start took.", I)
    dump_sysinfo: bool = flag(False, "Write a file about the machine and end.", I)
    disable_all_extensions: bool = flag(False, "Start without any extension.", E)
    disable_extra_extensions: bool = flag(False, "Start with the built-in extensions only.", E)
    update_all_extensions: bool = flag(False, "Update every extension at start.", E)
    enable_insecure_extension_access: bool = flag(
        False, "Let the page install extensions although others can reach it.", E
    )
    allow_code: bool = flag(False, "Allow the script that runs code from the page.", E)
