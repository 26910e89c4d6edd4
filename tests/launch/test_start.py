"""A whole start, from `./webui.sh` on: the real scripts and a real virtual environment, with a small package."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("launch.py", "webui.sh", "webui.bat", "webui-user.sh", "webui-user.bat")
TORCH = "pip install --no-index --find-links wheels tiny-torch"
WEBUI = "import sys, tiny_program\nprint('started', *sys.argv[1:])\n"
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None or os.name == "nt", reason="webui.sh is for Linux and macOS")


def write_wheel(folder: Path, name: str) -> None:
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def copy_program(folder: Path) -> Path:
    for name in SCRIPTS:
        shutil.copy(ROOT / name, folder / name)
    python_files = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(ROOT / "modules", folder / "modules", ignore=python_files)
    (folder / "webui.py").write_text(WEBUI)
    (folder / "wheels").mkdir()
    write_wheel(folder / "wheels", "tiny-torch")
    write_wheel(folder / "wheels", "tiny-program")
    (folder / "requirements.txt").write_text("--no-index\n--find-links wheels\ntiny-program==1.0\n")
    return folder


def variables(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("COMMANDLINE_ARGS", "VENV_DIR")}
    return {
        **kept,
        "PYTHON": getattr(sys, "_base_executable", sys.executable),
        "TORCH_COMMAND": TORCH,
        **more,
    }


def start(program: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASH, str(program / "webui.sh"), *words],
        env=variables(**more),
        capture_output=True,
        text=True,
        timeout=120,
    )


def stamp(program: Path) -> dict:
    return json.loads((program / "venv/easel-installed.json").read_text())


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A program that was started once, and what that start wrote."""
    program = copy_program(tmp_path_factory.mktemp("a program"))
    return program, start(program, "--port", "7000")


def test_the_first_start_makes_the_environment_installs_and_starts(installed):
    program, first = installed
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.splitlines()[-1] == "started --port 7000"
    assert f"Making {program / 'venv'}" in first.stdout
    assert stamp(program)["torch"] == TORCH.split()


def test_the_second_start_installs_nothing_and_adds_under_two_seconds(installed):
    program, _ = installed
    began = time.monotonic()
    second = start(program)
    assert second.stdout.split() == ["started"]
    assert time.monotonic() - began < 2


def test_the_start_may_come_from_any_folder(installed, tmp_path):
    program, _ = installed
    done = subprocess.run(
        [BASH, str(program / "webui.sh")], env=variables(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == ["started"]


def test_a_changed_list_is_installed_at_the_next_start(installed):
    program, _ = installed
    (program / "requirements.txt").open("a").write("# changed\n")
    assert "Installing what requirements.txt names" in start(program).stdout
    assert start(program).stdout.split() == ["started"]


def test_the_users_own_file_is_read(installed):
    program, _ = installed
    own = program / "webui-user.sh"
    before = own.read_text()
    own.write_text(before + 'export COMMANDLINE_ARGS="--prot 3"\n')
    try:
        assert "There is no flag --prot; did you mean --port?" in start(program).stderr
    finally:
        own.write_text(before)


def test_every_setting_of_the_users_own_file_is_a_comment_at_first():
    text = (ROOT / "webui-user.sh").read_text()
    starting = text[text.index("\n[") : text.index('"$@"\n') + 5]
    assert starting.count("\n") == 3
    lines = text.replace(starting, "\n").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_a_failed_installation_is_said_and_tried_again_at_the_next_start(installed):
    program, _ = installed
    failed = start(program, TORCH_COMMAND="pip install --no-index absent-package")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith(
        "torch could not be installed: No matching distribution found"
    )
    assert stamp(program)["torch"] == []
    assert "Installing torch" in start(program).stdout


def test_control_c_while_installing_leaves_no_stamp(installed):
    program, _ = installed
    running = subprocess.Popen(
        [BASH, str(program / "webui.sh")],
        env=variables(TORCH_COMMAND="timeit -n 1 -r 1 'print(1, flush=True); import time; time.sleep(60)'"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while running.stdout.readline() != "1\n":
        pass
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert said.splitlines()[-1].startswith("Stopped. What is installed stays")
    assert stamp(program)["torch"] == []
    assert start(program).returncode == 0


def test_a_broken_environment_is_said_with_the_way_out_and_that_way_works(installed):
    program, _ = installed
    for name in ("python", "python3"):
        (program / "venv/bin" / name).unlink(missing_ok=True)
    broken = start(program)
    assert broken.returncode == 1
    assert (
        broken.stderr
        == "The Python in venv does not run any more. Start once with --reinstall to make it anew.\n"
    )
    mended = start(program, "--reinstall")
    assert mended.stdout.splitlines()[-1] == "started --reinstall"


def test_reinstall_leaves_a_folder_alone_that_is_no_environment(installed):
    program, _ = installed
    (program / "precious").mkdir()
    (program / "precious/picture.png").write_text("")
    refused = start(program, "--reinstall", VENV_DIR="precious")
    assert "is no virtual environment and is left alone" in refused.stderr
    assert (program / "precious/picture.png").exists()


def test_a_python_that_is_too_old_is_named(tmp_path):
    program = copy_program(tmp_path)
    (program / "modules/python_version.py").write_text(
        (ROOT / "modules/python_version.py")
        .read_text()
        .replace("(3, 11)", "(3, 91)")
        .replace("(3, 13)", "(3, 93)")
    )
    refused = start(program)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Python 3.91, 3.92 or 3.93 is needed, but ")
    assert not (program / "venv").exists()


def test_a_python_that_is_not_there_is_named(tmp_path):
    refused = start(copy_program(tmp_path), PYTHON="/no/python")
    assert refused.stderr.startswith("There is no Python at /no/python")


def test_nothing_is_installed_for_a_command_line_that_is_not_understood(tmp_path):
    program = copy_program(tmp_path)
    refused = start(program, "--medvran")
    assert refused.returncode == 2
    assert not (program / "venv").exists()


@pytest.mark.parametrize("words", [["--help"], ["generate", "--help"], ["test", "--help"]])
def test_help_answers_within_a_second_and_needs_no_environment(tmp_path, words):
    program = copy_program(tmp_path)
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        helped = start(program, *words)
        seconds.append(time.monotonic() - began)
        assert helped.returncode == 0, helped.stderr
        assert helped.stdout.startswith("usage: webui.sh")
    # The first time Python compiles the files.
    assert min(seconds) < 1
    assert not (program / "venv").exists()


def test_windows_start_files_have_its_line_ends():
    for name in ("webui.bat", "webui-user.bat"):
        content = (ROOT / name).read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") > 5, name
