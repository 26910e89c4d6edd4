"""The virtual environment and the stamp in it that says what was installed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from modules.atomic import replace_file
from modules.launching.errors import LaunchError
from modules.python_version import is_supported, spoken

__all__ = ["NO_VENV", "Environment", "Stamp"]

NO_VENV = "-"
PROBE = "import sys; print(*sys.version_info[:2])"


@dataclass(frozen=True)
class Stamp:
    """What was installed. torch, xformers: the pip words. requirements, tests: sha256 of the files. Empty:
    not yet. xformers_lack: why pip could not install it.
    """

    torch: tuple[str, ...] = ()
    requirements: str = ""
    tests: str = ""
    xformers: tuple[str, ...] = ()
    xformers_lack: str = ""


@dataclass(frozen=True)
class Environment:
    """Where packages are installed. folder None: into the Python that runs this."""

    folder: Path | None

    @classmethod
    def from_variables(cls, program: Path, variables: Mapping[str, str]) -> "Environment":
        """`venv` in the program's folder, or what VENV_DIR says; `-` is no venv at all."""
        name = variables.get("VENV_DIR", "").strip() or "venv"
        return cls(None if name == NO_VENV else program / Path(name).expanduser())

    @property
    def python(self) -> Path:
        """The interpreter."""
        if self.folder is None:
            return Path(sys.executable)
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def exists(self) -> bool:
        """Whether there is anything; it may be broken."""
        return self.folder is None or (self.folder / "pyvenv.cfg").exists()

    def check(self, any_version: bool = False) -> None:
        """Raises LaunchError when the interpreter does not run, or is one that the pins do not know."""
        name = self.folder.name if self.folder else str(self.python)
        cure = "Start once with --reinstall to make it anew." if self.folder else "Repair that Python."
        try:
            answer = subprocess.run(
                [self.python, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True
            ).stdout.split()
            version = int(answer[0]), int(answer[1])
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            raise LaunchError(f"The Python in {name} does not run any more. {cure}") from error
        if not any_version and not is_supported(version):
            found = f"Python {version[0]}.{version[1]}"
            raise LaunchError(f"{name} was made with {found}, but {spoken()} is needed. {cure}")

    def make(self) -> None:
        """Make a fresh one. Raises LaunchError when the system's Python cannot."""
        if self.folder is None:
            return
        made = subprocess.run(
            [sys.executable, "-m", "venv", self.folder], capture_output=True, text=True, check=False
        )
        if made.returncode:
            self._remove()
            raise LaunchError(_why_no_venv(self.folder, made.stdout + made.stderr))

    def remove(self) -> None:
        """Take it away. Raises LaunchError for a folder that is no virtual environment; that one stays."""
        if self.folder is None or not self.folder.exists():
            return
        if not self.exists and any(self.folder.iterdir()):
            raise LaunchError(f"{self.folder} is no virtual environment and is left alone: change VENV_DIR.")
        if Path(sys.prefix).resolve() == self.folder.resolve():
            raise LaunchError(
                "This Python lies in the environment that is to go: run `deactivate`, start again."
            )
        self._remove()

    def read_stamp(self) -> Stamp:
        """What was installed here; an empty stamp where nothing is known."""
        try:
            values = json.loads(self._stamp_file.read_text(encoding="utf-8"))
            return Stamp(
                tuple(values["torch"]),
                str(values["requirements"]),
                str(values["tests"]),
                tuple(values.get("xformers", ())),
                str(values.get("xformers_lack", "")),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Stamp()

    def stamp(self, **done: object) -> None:
        """Note a step by its name in `Stamp`; an empty value takes the note back."""
        self._stamp_file.parent.mkdir(parents=True, exist_ok=True)
        stamp = replace(self.read_stamp(), **done)  # type: ignore[arg-type]
        replace_file(self._stamp_file, json.dumps(asdict(stamp)).encode())

    @property
    def log_file(self) -> Path:
        """Where pip writes all that it does."""
        return self._stamp_file.with_name("install.log")

    @property
    def _stamp_file(self) -> Path:
        if self.folder is not None:
            return self.folder / "easel-installed.json"
        # Without a venv the note lies with the interpreter's own user, one for each interpreter.
        key = hashlib.sha256(str(self.python).encode()).hexdigest()[:12]
        return Path.home() / ".cache" / "easel" / f"installed-{key}.json"

    def _remove(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _why_no_venv(folder: Path, output: str) -> str:
    if "ensurepip" in output:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return (
            "This Python cannot make virtual environments. On Debian and Ubuntu: apt install "
            f"python{version}-venv; elsewhere install a complete Python."
        )
    if "No space left" in output:
        return f"There is no room on the disk for {folder}."
    last = next(
        (line.strip() for line in reversed(output.splitlines()) if line.strip()), "no reason was given"
    )
    return f"{folder} could not be made: {last}"
