"""webui.sh and webui-user.sh however they are called and edited, and the Windows files as they are written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash") or "bash"
TOLD = (
    "import os, sys\n"
    "print(sys.argv[0], os.getcwd(), os.environ['COMMANDLINE_ARGS'], os.environ.get('EASEL_ARGS_FOLDER'),"
    " *sys.argv[1:], sep='|')\n"
)
"""In the place of launch.py: what it was given, and where it was started."""

unix = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="for Linux and macOS")


class Program:
    """A folder with the start scripts, and somewhere else to stand."""

    def __init__(self, folder: Path, elsewhere: Path) -> None:
        self.folder, self.elsewhere, self.own = folder, elsewhere, folder / "webui-user.sh"
        folder.mkdir()
        elsewhere.mkdir()
        for name in ("webui.sh", "webui-user.sh"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "launch.py").write_text(TOLD)

    def call(
        self, *command: str | Path, stdin: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` from elsewhere."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("COMMANDLINE", "EASEL"))
        }
        return subprocess.run(
            [str(word) for word in command],
            env={**kept, "PYTHON": sys.executable, **variables},
            cwd=self.elsewhere, input=stdin, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def told(self, *words: str, arguments: str = "", by_own_file: bool = False) -> str:
        """What is written by a start that comes through."""
        folder = str(self.folder) if by_own_file else "None"
        return "|".join([f"{self.folder}/launch.py", str(self.elsewhere), arguments, folder, *words]) + "\n"


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "a 'folder'\nof \"mine\"", tmp_path / "elsewhere")


@unix
@pytest.mark.parametrize("shell", [(), (BASH,), ("sh",), (BASH, "--posix")])
@pytest.mark.parametrize("name", ["webui.sh", "webui-user.sh"])
def test_each_script_starts_from_anywhere_and_stays_where_the_person_stands(program, shell, name):
    done = program.call(*shell, program.folder / name, "-o", "a cat.png", "")
    assert (done.stderr, done.stdout) == ("", program.told("-o", "a cat.png", ""))


@unix
def test_links_lead_to_the_program(program, tmp_path):
    first, second, third = (
        tmp_path / "easel",
        tmp_path / "elsewhere" / "start",
        tmp_path / "elsewhere" / "own",
    )
    first.symlink_to(program.folder / "webui.sh")
    second.symlink_to(Path("../easel"))
    third.symlink_to(program.folder / "webui-user.sh")
    for link in (first, second, "./start", third):
        assert program.call(link).stdout == program.told(), link
    assert program.call(BASH, "start").stdout == program.told()
    assert program.call("start", PATH=f"{program.elsewhere}:{os.environ['PATH']}").stdout == program.told()


@unix
def test_what_a_shell_or_another_python_has_set_does_not_matter(program, tmp_path):
    (program.elsewhere / "program").symlink_to(program.folder)
    (tmp_path / "sys.py").write_text("raise SystemExit('not mine')")
    (tmp_path / "rc").write_text("cd() { echo no >&2; return 1; }\n")
    told = program.call(
        BASH, "program/webui.sh", CDPATH=f"{tmp_path}:.", BASH_ENV=str(tmp_path / "rc"), PYTHONHOME="/nowhere",
        PYTHONPATH=str(tmp_path), PYTHONSAFEPATH="1", TMPDIR="/nowhere", LC_ALL="C",
    )  # fmt: skip
    assert (told.stderr, told.stdout) == ("", program.told())


@unix
def test_read_by_an_open_shell_it_leaves_that_as_it_was(program):
    done = program.call(
        BASH, "-c", 'source "$1/webui.sh" --api; echo "here $?"; [[ $- != *u* ]]', "x", program.folder
    )
    assert (done.returncode, done.stdout) == (0, program.told("--api") + "here 0\n")
    done = program.call(BASH, "-c", 'source "$1/webui-user.sh"; echo here', "x", program.folder)
    assert done.stdout == "here\n"


@unix
@pytest.mark.parametrize(
    "text",
    [
        'export COMMANDLINE_ARGS="--api"\n',
        'COMMANDLINE_ARGS="--api"',
        'export COMMANDLINE_ARGS="--api"\r\n# seen\r\n',
        '\ufeffexport COMMANDLINE_ARGS="--api"\n',
        'COMMANDLINE_ARGS="--api"\nfalse\n',
        'COMMANDLINE_ARGS="--api"\nexit 0\n',
        'COMMANDLINE_ARGS="--api"\nreturn 3\n',
        'set -u -f; cd /; CDPATH=/; IFS=p; COMMANDLINE_ARGS="--api"\nset -- other words\n',
        'COMMANDLINE_ARGS="--api"\nexec ./webui.sh "$@"\n',
    ],
)
def test_the_users_own_file_counts_however_it_is_written(program, text):
    program.own.write_bytes(text.encode())
    done = program.call(program.folder / "webui.sh", "--listen")
    assert (done.stderr, done.stdout) == ("", program.told("--listen", arguments="--api", by_own_file=True))


@unix
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cd /not/there || exit 7\n", "webui-user.sh ended with status 7, so Easel is not started: "),
        ("set -e\nfalse\necho never\n", "webui-user.sh ended with status 1, so Easel is not started: "),
        ('export COMMANDLINE_ARGS="--data-dir /x\n', "webui-user.sh cannot be read, the reason is above: "),
    ],
)
def test_a_start_that_the_users_own_file_ends_is_said(program, text, sentence):
    program.own.write_text(text)
    done = program.call(program.folder / "webui.sh")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(sentence)


@unix
def test_the_users_own_file_may_call_the_start_by_mistake(program):
    program.own.write_text("COMMANDLINE_ARGS=--api\n./webui.sh\n")
    done = program.call(program.folder / "webui.sh")
    assert done.stdout == program.told(arguments="--api", by_own_file=True)
    assert done.stderr == "webui-user.sh is read by webui.sh: take the call of webui.sh out of it.\n"


@unix
def test_a_script_without_its_program_says_so(program, tmp_path):
    copy = shutil.copy(program.folder / "webui.sh", tmp_path / "webui.sh")
    for done in (program.call(copy), program.call(BASH, stdin=(ROOT / "webui.sh").read_text())):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("There is no launch.py in ")


@unix
def test_a_folder_that_is_gone_does_not_stop_the_start(program):
    script = 'cd "$1"; mkdir gone; cd gone; rmdir ../gone; exec "$2/webui.sh"'
    done = program.call(BASH, "-c", script, "x", program.elsewhere, program.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("|")[1] == str(program.folder)


def windows_lines(name: str) -> list[str]:
    content = (ROOT / name).read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") > 5
    return content.decode().splitlines()


@pytest.mark.parametrize("name", ["webui.bat", "webui-user.bat"])
def test_paths_in_windows_files_are_quoted_and_stand_in_no_brackets(name):
    depth = 0
    for line in windows_lines(name):
        depth += line.rstrip().endswith("(")
        if not line.startswith("rem") and re.search(r"%~dp0|%PYTHON|%EASEL_PY|%\*", line):
            assert depth == 0, line
            assert "%~dp0" not in line or re.search(r'"[^"]*%~dp0[^"]*"', line), line
        depth -= line.strip() == ")"
    assert depth == 0


def test_the_windows_start_does_not_leave_the_folder_and_waits_with_what_went_wrong():
    lines = windows_lines("webui.bat")
    assert not [line for line in lines if re.match(r"\s*(cd|pushd)\b", line)]
    assert "setlocal DisableDelayedExpansion" in lines, "a path may hold an exclamation mark"
    assert lines.count("pause") == 1
    assert 'if not "%EASEL_STATUS%"=="0" pause' in lines
    assert lines[-1] == "exit /b 1"
