"""Makes the virtual environment, installs what is pinned, and starts the program. Standard library only.

    python launch.py [flags]                   start the server
    python launch.py generate PROMPT [flags]   make a picture without a server
    python launch.py verify PICTURE... [flags] make pictures again and compare them
    python launch.py merge MODEL... [flags]    make a checkpoint of others
    python launch.py convert MODEL [flags]     write a checkpoint in another format or number type
    python launch.py test [pytest arguments]   run the tests

Variables of the environment: VENV_DIR (`-` for none), TORCH_COMMAND, REQS_FILE, COMMANDLINE_ARGS, GIT.
The program goes on in the folder that it is called from, where the relative paths of its caller start.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from modules.argument_words import words_of_environment
from modules.errors import EaselError
from modules.python_version import is_supported, spoken

PROGRAM = Path(__file__).resolve().parent
TEST_HELP = "usage: webui.sh test [pytest arguments]\n\nInstalls what the tests need and runs them all."
TESTS_TOGETHER = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Many tests wait for a server, a browser or another process: two files at once are nearly twice as fast.

They keep their order: once a browser is driven, its process can run no event loop of its own any more.
"""
TEST_FILES = (
    "--junitxml",
    "--junit-xml",
    "--basetemp",
    "--log-file",
    "--ignore",
    "--confcutdir",
    "--rootdir",
)
"""Options of pytest that take a file, which need not be there yet."""
START_FLAGS = (
    "--reinstall", "--reinstall-torch", "--skip-install", "--skip-prepare-environment",
    "--skip-python-version-check",
)  # fmt: skip


def main(words: list[str]) -> int:
    """Prepare, then become the program; the exit status when there is no program to become."""
    try:
        return start(words)
    except EaselError as error:
        return refuse(str(error))
    except KeyboardInterrupt:
        return refuse("Stopped. What is installed stays; the next start goes on from there.", status=130)


def start(words: list[str]) -> int:
    """As `main`. Raises EaselError with the reason why it does not go on."""
    given = [*words, *words_of_environment(os.environ)]
    if "--skip-python-version-check" not in given and not is_supported(sys.version_info[:2]):
        found = ".".join(map(str, sys.version_info[:2]))
        raise EaselError(
            f"{spoken()} is needed, but {sys.executable} is Python {found}. Install one of these, and "
            "name it as PYTHON in webui-user.bat or python_cmd in webui-user.sh."
        )
    # Only now: the rest is written for the Pythons that are supported.
    from modules.launching import choose_wait_policy, mend_process

    mend_process(PROGRAM)
    choose_wait_policy(os.environ)
    return run_tests(words[1:]) if words[:1] == ["test"] else run_program(words)


def run_program(words: list[str]) -> int:
    """Understand the command line, before anything is installed for it; prepare; become the program."""
    from modules.cli import parse_command
    from modules.launching import prepare

    flags = parse_command(words).flags
    with contextlib.chdir(PROGRAM):
        python = prepare(flags, PROGRAM, os.environ, say)
    return become([str(python), str(PROGRAM / "webui.py"), *words])


def run_tests(words: list[str]) -> int:
    """Prepare with what the tests need, and become pytest. The user's own flags do not reach the tests."""
    from modules.flags import parse_flags
    from modules.launching import prepare

    if words[:1] in (["-h"], ["--help"]):
        say(TEST_HELP)
        return 0
    os.environ.pop("COMMANDLINE_ARGS", None)
    flags = parse_flags([word for word in words if word in START_FLAGS])
    own = [from_here(word) for word in words if word not in START_FLAGS]
    # Tests expect to run there.
    os.chdir(PROGRAM)
    python = prepare(flags, PROGRAM, os.environ, say, with_tests=True)
    return become([str(python), "-m", "pytest", *TESTS_TOGETHER, *own])


def from_here(word: str) -> str:
    """A word for pytest that means the same in the program's folder: files by their whole paths."""
    option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    name, colons, test = value.partition("::")
    is_file = option in TEST_FILES or (name and not name.startswith("-") and Path(name).exists())
    return option + equals + str(Path(name).absolute()) + colons + test if is_file else word


def become(command: list[str]) -> int:
    """Go on as `command`; on Windows, which cannot, wait for it."""
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(command[0], command)
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130


def say(sentence: str) -> None:
    """A line for the person at the terminal."""
    print(sentence, flush=True)


def refuse(sentence: str, status: int = 1) -> int:
    """Say why it does not go on."""
    print(sentence, file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
