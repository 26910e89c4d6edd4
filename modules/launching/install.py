"""What has to be installed, and installing it."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.launching.environment import Environment, Stamp
from modules.launching.errors import LaunchError, explain_pip_failure
from modules.launching.torch_build import PINS, TorchBuild, module_words

__all__ = ["BYTES_NEEDED", "Plan", "check_room", "fingerprint", "install", "plan_install", "run_pip"]

BYTES_NEEDED = 5_500_000_000


@dataclass(frozen=True)
class Plan:
    """The steps that are due. requirements, tests: the files to install from, None when done already."""

    torch: bool
    requirements: Path | None = None
    tests: Path | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is due."""
        return not (self.torch or self.requirements or self.tests)


def plan_install(
    stamp: Stamp,
    requirements: Path,
    tests: Path | None,
    torch_command: str,
    *,
    reinstall: bool = False,
    reinstall_torch: bool = False,
) -> Plan:
    """Compare what is wanted with what `stamp` says is there.

    torch is due when it was never installed, when its pins or TORCH_COMMAND changed, or when asked for; a
    graphics card that came or went does not fetch gigabytes by itself. reinstall: all of it is due.
    """
    if reinstall:
        stamp = Stamp()
    torch = reinstall_torch or not stamp.torch or _torch_changed(stamp.torch, torch_command)
    return Plan(
        torch=torch,
        requirements=None if stamp.requirements == fingerprint(requirements) else requirements,
        tests=None if tests is None or stamp.tests == fingerprint(tests) else tests,
    )


def fingerprint(file: Path) -> str:
    """sha256 of what `file` holds; line ends do not count. Raises LaunchError when it is missing."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise LaunchError(f"{file} cannot be read: {error.strerror}. Fetch the program again.") from error
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def check_room(folder: Path, free_bytes: Callable[[Path], int] | None = None) -> None:
    """Raises LaunchError when the disk that `folder` will lie on has not room enough for a fresh install."""
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = (free_bytes or (lambda path: shutil.disk_usage(path).free))(place)
    if free < BYTES_NEEDED:
        raise LaunchError(
            f"There is too little room on the disk for installing: {BYTES_NEEDED / 1e9:.1f} GB are needed in "
            f"{place}, {free / 1e9:.1f} GB are free. Make room, or set VENV_DIR to a folder on another disk."
        )


def install(
    environment: Environment, plan: Plan, choose: Callable[[], TorchBuild], say: Callable[[str], None]
) -> None:
    """Carry out `plan`, noting each finished step. `choose` is asked only when torch is due.

    Raises LaunchError with the reason; what was finished before is not done again.
    """
    if plan.torch:
        build = choose()
        say(f"Installing torch {build.reason}. This is the large part: some gigabytes, once.")
        environment.stamp(torch=(), xformers=(), xformers_lack="")
        run_pip(environment, build.words, "torch")
        environment.stamp(torch=build.words)
    for step, file, what in (
        ("requirements", plan.requirements, "The packages of the program"),
        ("tests", plan.tests, "The packages of the tests"),
    ):
        if file is not None:
            say(f"Installing what {file.name} names.")
            environment.stamp(**{step: ""})
            run_pip(environment, ("pip", "install", "-r", str(file)), what)
            environment.stamp(**{step: fingerprint(file)})


def _torch_changed(stamped: Sequence[str], command: str) -> bool:
    if command.strip():
        return tuple(stamped) != module_words(command)
    return not set(PINS) <= set(stamped)


def run_pip(environment: Environment, words: Sequence[str], what: str) -> None:
    """`python -m WORDS`; pip writes to the terminal itself, for its progress bars, and to a log for us.

    Raises LaunchError with why `what` could not be installed.
    """
    command: list[str] = [str(environment.python), "-m", *words]
    log = environment.log_file
    log.unlink(missing_ok=True)
    if words[0] == "pip":
        command += ["--disable-pip-version-check", "--no-input", "--prefer-binary", "--log", str(log)]
    if subprocess.run(command, check=False).returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        raise explain_pip_failure(lines, what)
