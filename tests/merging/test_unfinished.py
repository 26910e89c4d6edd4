"""A result appears whole or not at all, and nothing that was there is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from modules.errors import EaselError
from modules.merging import MergeStopped, run_merge
from modules.merging.unfinished import UnfinishedFile, clear_unfinished

ROOT = Path(__file__).parents[2]
KILLED = """
import sys, threading, os
from pathlib import Path
from modules.merging.unfinished import UnfinishedFile
with UnfinishedFile(Path(sys.argv[1])) as file:
    for number in range(1000):
        file.write(bytes(10_000))
        if number == 100:
            print("half-way", flush=True)
            threading.Event().wait()
"""


@pytest.fixture
def models(put):
    for seed, name in enumerate("ab"):
        put(name, {f"model.{n}": torch.full((2000, 100), float(seed)) for n in range(20)})


class Stopping:
    """Wants to stop once so many bytes are done."""

    def __init__(self, after):
        self.after, self.stages, self.done = after, [], 0

    def on_progress(self, stage, done, total):
        self.stages.append(stage)
        self.done = done

    def should_stop(self):
        return self.done >= self.after


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_progress_is_told_until_the_end(models, plan):
    watcher = Stopping(after=1e12)
    planned = plan(custom_name="new")
    run_merge(planned, watcher)
    assert watcher.stages[0] == "Hashing a.safetensors" and watcher.stages[-1] == "Writing new.safetensors"
    assert watcher.done == 20 * 2000 * 100 * 4


@pytest.mark.parametrize("after", [0, 1])
def test_a_stop_leaves_nothing(models, plan, folders, monkeypatch, after):
    monkeypatch.setattr("modules.merging.running.REPORT_SECONDS", 0)
    before = files_in(folders.new_checkpoints)
    with pytest.raises(MergeStopped):
        run_merge(plan(custom_name="new"), Stopping(after))
    assert files_in(folders.new_checkpoints) == before


def test_a_file_of_that_name_is_not_replaced_unasked(models, plan, put):
    old = put("new", {"model.x": torch.ones(2)}).read_bytes()
    planned = plan(custom_name="new")
    assert planned.dry_run.refusal.startswith("There is a file new.safetensors already.")
    with pytest.raises(EaselError, match=r"There is a file new\.safetensors already"):
        run_merge(planned)
    assert (path := planned.path).read_bytes() == old
    done = run_merge(plan(custom_name="new", overwrite=True))
    assert done.path == path and path.read_bytes() != old


def test_a_file_that_appears_meanwhile_is_not_replaced_either(models, plan, folders):
    planned = plan(custom_name="new")
    planned.path.write_bytes(b"another program's")
    with pytest.raises(EaselError, match="was made by another program meanwhile"):
        run_merge(planned)
    assert planned.path.read_bytes() == b"another program's"
    assert files_in(folders.new_checkpoints) == ["a.safetensors", "b.safetensors", "new.safetensors"]


def test_a_model_may_be_replaced_by_its_own_merge(models, plan, tmp_path):
    done = run_merge(plan(custom_name="a", overwrite=True, multiplier=0.5))
    from safetensors.torch import load_file

    assert done.path.name == "a.safetensors" and load_file(done.path)["model.0"][0, 0] == 0.5


def test_a_parent_that_has_changed_since_is_noticed(models, plan, put, folders):
    planned = plan(custom_name="new")
    put("a", {"model.0": torch.ones(3)})
    with pytest.raises(EaselError, match=r"a\.safetensors was changed after the merge was planned"):
        run_merge(planned)
    planned = plan(custom_name="new", secondary="a")
    (folders.new_checkpoints / "a.safetensors").unlink()
    with pytest.raises(EaselError, match=r"a\.safetensors cannot be opened any more"):
        run_merge(planned)
    assert files_in(folders.new_checkpoints) == ["b.safetensors"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(models, plan, folders, monkeypatch):
    class Full:
        """A file on a disk that fills up."""

        def __init__(self, file):
            self._file, self._left = file, 3

        def write(self, data):
            self._left -= 1
            if self._left < 0:
                raise OSError(28, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name):
            return getattr(self._file, name)

    opened = UnfinishedFile.__enter__

    def enter(self):
        opened(self)
        self._file = Full(self._file)
        return self

    monkeypatch.setattr(UnfinishedFile, "__enter__", enter)
    with pytest.raises(EaselError, match=r"could not be written in .*: No space left on device"):
        run_merge(plan(custom_name="new"))
    assert files_in(folders.new_checkpoints) == ["a.safetensors", "b.safetensors"]


def test_a_result_that_does_not_fit_on_the_disk_is_not_begun(models, plan, monkeypatch):
    monkeypatch.setattr("modules.merging.drying._free_space", lambda folder: 1000)
    assert "has 0.00 GB left. Make room" in plan().dry_run.refusal


def test_what_a_killed_merge_leaves_is_no_model_and_is_cleared(tmp_path):
    target = tmp_path / "new.safetensors"
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}
    )
    assert killed.stdout.readline() == b"half-way\n"
    left = files_in(tmp_path)
    assert len(left) == 1 and left[0].startswith(".new.safetensors.") and left[0].endswith(".unfinished")
    assert clear_unfinished(tmp_path) == [], "it is still being written"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert files_in(tmp_path) == left
    (tmp_path / "other.tmp").write_text("not ours")
    assert [path.name for path in clear_unfinished(tmp_path)] == left
    assert files_in(tmp_path) == ["other.tmp"]


def test_what_is_not_finished_is_removed(tmp_path):
    with pytest.raises(KeyError), UnfinishedFile(tmp_path / "x.ckpt") as file:
        file.write(b"abc")
        raise KeyError
    assert files_in(tmp_path) == []


def test_bytes_and_hash(tmp_path):
    import hashlib

    with UnfinishedFile(tmp_path / "x.ckpt") as file:
        for number in range(50):
            file.write(bytes([number]) * 1000)
        digest = file.finish(replace=False)
    content = (tmp_path / "x.ckpt").read_bytes()
    assert content == b"".join(bytes([number]) * 1000 for number in range(50))
    assert digest == hashlib.sha256(content).hexdigest()


def test_a_folder_that_cannot_be_written_to(tmp_path):
    with pytest.raises(EaselError, match="could not be written in"):
        UnfinishedFile(tmp_path / "missing" / "x.ckpt").__enter__()
