"""Hashes are computed once and remembered as long as the file stays what it was."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modules.checkpoints import HashCache, old_hash


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights" * 1000)
    return path


def test_a_hash_is_unknown_until_asked_for_and_known_to_the_next_program(file: Path, tmp_path: Path) -> None:
    cache = HashCache(tmp_path / "hashes.json")
    assert cache.known(file) is None
    assert cache.sha256(file) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert HashCache(tmp_path / "hashes.json").known(file) == cache.known(file)


def test_a_changed_file_is_hashed_again(file: Path, tmp_path: Path) -> None:
    cache = HashCache(tmp_path / "hashes.json")
    first = cache.sha256(file)
    file.write_bytes(b"WEIGHTS" * 1000)
    os.utime(file, ns=(0, 0))
    assert cache.known(file) is None
    assert cache.sha256(file) not in {None, first}


def test_an_untouched_file_is_read_once(file: Path, tmp_path: Path) -> None:
    cache = HashCache(tmp_path / "hashes.json")
    first, status = cache.sha256(file), file.stat()
    file.write_bytes(b"forgery" * 1000)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cache.sha256(file) == first


@pytest.mark.parametrize(
    "contents", ["", "[]", "{", '{"a": 1}', '{"a": {"size": "x", "mtime_ns": 0, "sha256": ""}}']
)
def test_a_damaged_store_counts_as_empty_and_is_replaced(contents: str, file: Path, tmp_path: Path) -> None:
    store = tmp_path / "hashes.json"
    store.write_text(contents)
    digest = HashCache(store).sha256(file)
    assert json.loads(store.read_text())[str(file)]["sha256"] == digest


def test_two_programs_keep_each_others_hashes(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"x")
    one, two = HashCache(tmp_path / "hashes.json"), HashCache(tmp_path / "hashes.json")
    one.sha256(file)
    two.sha256(other)
    third = HashCache(tmp_path / "hashes.json")
    assert None not in {third.known(file), third.known(other)}


def test_many_threads_get_the_same_answer_and_leave_a_whole_store(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.ckpt" for number in range(6)]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]) * 50_000)
    cache = HashCache(tmp_path / "hashes.json")
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(cache.sha256, files * 8))
    assert got == [hashlib.sha256(path.read_bytes()).hexdigest() for path in files] * 8
    assert len(json.loads((tmp_path / "hashes.json").read_text())) == 6
    assert [path.name for path in tmp_path.iterdir() if "hashes" in path.name] == ["hashes.json"]


def test_the_background_computes_what_nobody_waits_for(file: Path, tmp_path: Path) -> None:
    cache = HashCache(tmp_path / "hashes.json")
    thread = cache.compute_later(file)
    assert thread is not None
    assert thread.daemon
    thread.join()
    assert cache.known(file) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert cache.compute_later(file) is None


def test_without_hashing_every_hash_is_unknown(file: Path, tmp_path: Path) -> None:
    HashCache(tmp_path / "hashes.json").sha256(file)
    cache = HashCache(tmp_path / "hashes.json", enabled=False)
    assert cache.sha256(file) is cache.known(file) is None


def test_a_store_that_cannot_be_written_costs_nothing_but_the_memory(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is needed")
    assert HashCache(tmp_path / "taken" / "hashes.json").sha256(file) is not None


def test_a_missing_file_has_no_hash(tmp_path: Path) -> None:
    assert HashCache(tmp_path / "hashes.json").sha256(tmp_path / "gone") is None
    assert old_hash(tmp_path / "gone") == "NOFILE"
