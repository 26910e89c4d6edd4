"""The whole preparation, step by step."""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from modules.flags import Flags
from modules.launching.environment import Environment
from modules.launching.install import check_room, install, plan_install
from modules.launching.machine import probe_machine
from modules.launching.torch_build import TorchBuild, choose_torch
from modules.launching.xformers import add_xformers

__all__ = ["prepare"]


def prepare(
    flags: Flags,
    program: Path,
    variables: Mapping[str, str],
    say: Callable[[str], None],
    *,
    with_tests: bool = False,
) -> Path:
    """The Python to run the program with, everything installed that `program` pins.

    variables: of the process (VENV_DIR, TORCH_COMMAND, REQS_FILE, GIT). say: gets a line for each long step.
    Raises LaunchError with the reason; a later start goes on from there.
    """
    if flags.skip_prepare_environment:
        return Path(sys.executable)
    environment = Environment.from_variables(program, variables)
    if flags.reinstall:
        environment.remove()
    if not environment.exists and not flags.skip_install:
        _make(environment, variables.get("GIT") or "git", say)
    if environment.exists:
        environment.check(any_version=flags.skip_python_version_check)
    if flags.skip_install:
        return environment.python if environment.exists else Path(sys.executable)
    plan = plan_install(
        environment.read_stamp(),
        requirements=program / (variables.get("REQS_FILE") or "requirements.txt"),
        tests=program / "requirements-test.txt" if with_tests else None,
        torch_command=variables.get("TORCH_COMMAND", ""),
        reinstall=flags.reinstall,
        reinstall_torch=flags.reinstall_torch,
    )

    def choose() -> TorchBuild:
        return choose_torch(probe_machine(), variables, flags.use_ipex)

    install(environment, plan, choose, say)
    if flags.xformers or flags.force_enable_xformers or flags.reinstall_xformers:
        add_xformers(environment, probe_machine, say, again=flags.reinstall_xformers)
    return environment.python


def _make(environment: Environment, git: str, say: Callable[[str], None]) -> None:
    assert environment.folder is not None
    check_room(environment.folder)
    say(f"Making {environment.folder} with Python {'.'.join(map(str, sys.version_info[:3]))}.")
    if not shutil.which(git):
        say(
            "There is no git on this machine: pictures do not need it, installing extensions by address will."
        )
    environment.make()
