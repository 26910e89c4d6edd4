"""What was being read when a program died is left alone until somebody asks for it, and a start comes up."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import save_file

from modules.checkpoints import open_tensors
from modules.errors import EaselError
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine
from modules.readings import READINGS, LeftAlone, Readings
from modules.settings import Options

ROOT = Path(__file__).resolve().parents[2]
DYING = """
import os, signal, sys
from pathlib import Path
from modules.readings import READINGS
READINGS.open(Path(sys.argv[1]))
{reading}
{death}
"""
READING = {
    "in the middle of its numbers": "from modules.checkpoints import open_tensors\nfile = open_tensors(Path(sys.argv[2]))",
    "before its index": "READINGS.begin(Path(sys.argv[2]))",
}
DEATHS = {
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "ended at once": "os._exit(3)",
    "in C": "os.abort()",
}


def die(folder: Path, path: Path, reading: str = "before its index", death: str = "ended at once") -> None:
    """Let a process die that reads `path`."""
    code = DYING.format(reading=READING[reading], death=DEATHS[death])
    done = subprocess.run([sys.executable, "-c", code, str(folder), str(path)], cwd=ROOT, capture_output=True)
    assert done.returncode, done.stderr


@pytest.fixture
def model(tmp_path, tiny_tensors) -> Path:
    path = tmp_path / "models" / "Stable-diffusion" / "boom.safetensors"
    path.parent.mkdir(parents=True)
    save_file(tiny_tensors, path)
    return path


@pytest.fixture
def started(tmp_path, model):
    """Starts an engine over the folder of the model."""
    yield lambda: Engine(*_given(tmp_path))
    READINGS.close()


def _given(data: Path):
    flags = parse_flags(["--data-dir", str(data), "--use-cpu", "all"], environment={})
    return Folders.from_flags(flags), flags


@pytest.mark.parametrize(
    ("reading", "death"),
    [
        ("in the middle of its numbers", "killed"),
        ("before its index", "ended at once"),
        ("before its index", "in C"),
    ],
)
def test_what_was_read_when_the_program_died_is_left_alone_at_the_next_start(
    tmp_path, model, started, caplog, reading, death
):
    die(tmp_path / "cache" / "readings", model, reading, death)
    engine = started()
    assert "boom.safetensors was being read when the program died" in caplog.text
    options = Options().overridden({"sd_model_checkpoint": "boom.safetensors"})
    with pytest.raises(EaselError, match=r"is left alone\. To try it once more"):
        engine.preload(options)
    with pytest.raises(LeftAlone):
        open_tensors(model)
    assert engine.checkpoint_of(Options()).stem == "easel-emoji"


@pytest.mark.parametrize("name", ["boom", "boom.safetensors", "sub/BOOM.safetensors [0123456789]"])
def test_a_person_who_asks_for_it_by_name_has_it_read(tmp_path, model, started, name):
    die(tmp_path / "cache" / "readings", model)
    engine = started()
    READINGS.ask_for(["room", "", "boo"])
    assert READINGS.is_left_alone(model)
    READINGS.ask_for([name])
    assert not READINGS.is_left_alone(model)
    assert engine.checkpoint_of(Options()).stem == "boom"
    assert started().checkpoint_of(Options()).stem == "boom"


def test_another_file_in_its_place_is_read(tmp_path, model, started):
    die(tmp_path / "cache" / "readings", model)
    engine = started()
    os.utime(model, ns=(1, 1))
    assert engine.checkpoint_of(Options()).stem == "boom"


def test_a_process_that_lives_or_ends_in_order_leaves_nothing_behind(tmp_path, model):
    one, other = Readings(), Readings()
    one.open(tmp_path / "readings")
    one.begin(model)
    other._process = "other-1-1"
    other.open(tmp_path / "readings")
    assert other.left_alone() == []
    one.close()
    other.close()
    other.open(tmp_path / "readings")
    assert other.left_alone() == []
    other.close()
    assert list((tmp_path / "readings").iterdir()) == []


def test_another_process_hears_of_what_a_person_asks_for(tmp_path, model):
    die(tmp_path / "readings", model)
    one, other = Readings(), Readings()
    other._process = "other-1-1"
    one.open(tmp_path / "readings")
    other.open(tmp_path / "readings")
    assert one.is_left_alone(model) and other.is_left_alone(model)
    one.ask_for_all()
    assert not other.is_left_alone(model)
    one.close()
    other.close()


@pytest.mark.parametrize("damage", [b"", b"[", b'["/nowhere", 5, null]', b"\xff", b"[" * 9999])
def test_a_damaged_record_stops_no_start(tmp_path, damage):
    folder = tmp_path / "readings"
    folder.mkdir()
    (folder / f"{os.uname().nodename if hasattr(os, 'uname') else 'x'}-999999-1.reading").write_bytes(damage)
    (folder / "left-alone.json").write_bytes(damage)
    record = Readings()
    record.open(folder)
    assert record.left_alone() == []
    record.close()


def test_a_record_costs_little(tmp_path, model):
    record = Readings()
    record.open(tmp_path / "readings")
    started = time.process_time()
    for _ in range(1000):
        with record.reading(model):
            pass
    assert time.process_time() - started < 0.5
    record.close()
