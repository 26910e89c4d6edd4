"""Settings files that other programs, people and accidents wrote: they stop no start, and nothing is lost."""

import json
import os

import pytest

from modules.errors import EaselError
from modules.flags import parse_flags
from modules.settings import Options, SettingsStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.json"


def store(path) -> SettingsStore:
    return SettingsStore(path, parse_flags([], {}))


def copies(path) -> list[bytes]:
    kept = [
        each for each in path.parent.iterdir() if each.name.startswith(f"{path.name}.") and each.is_file()
    ]
    return [each.read_bytes() for each in kept]


VALUES = {"tiling": True, "jpeg_quality": 77, "outdir_samples": "Bilder/caf\xe9"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_any_encoding_is_read_and_the_file_is_kept_before_it_changes(path, encoding):
    path.write_text(json.dumps(VALUES, ensure_ascii=False), encoding=encoding)
    before = path.read_bytes()
    kept = store(path)
    assert kept.options.given() == VALUES
    assert path.read_bytes() == before
    for number in (2, 3):
        kept.change({"n_rows": number})
    assert store(path).options.given() == {**VALUES, "n_rows": 3}
    assert before in copies(path)


@pytest.mark.parametrize(
    ("broken", "still"),
    [
        (b'{\n"tiling": true,\n"jpeg_quality": \xff77,\n"n_rows": 4\n}', {"tiling": True, "n_rows": 4}),
        (b'{"tiling": true, "n_rows": 4,}', {"tiling": True, "n_rows": 4}),
        (b'{\n  // mine\n  "tiling": true,\n  "n_rows": 4', {"tiling": True, "n_rows": 4}),
        (b'{"tiling": true, "x": {"n_rows": 2}, "n_rows": 4, "ui', {"tiling": True, "n_rows": 4}),
        (b'{"tiling": true}\0\0\0\0', {"tiling": True}),
        (b'[{"tiling": true}]', {"tiling": True}),
        (b"[" * 100_000, {}),
        (b'{"a":' * 100_000, {}),
        (b"\0" * 1000, {}),
        (b"", {}),
        (b"null", {}),
        (b'{"n_rows": 1, "list": [' + b"1," * 200_000 + b"1]}", {}),
    ],
)
def test_of_a_broken_file_is_read_what_can_be(path, broken, still, caplog):
    path.write_bytes(broken)
    assert {key: value for key, value in store(path).options.given().items() if key != "x"} == still
    assert broken in copies(path)
    assert "is broken" in caplog.text
    assert store(path).options.model_dump(include=set(still)) == still


def test_a_huge_file_does_not_hold_the_start(path):
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert store(path).options.given() == {}


def test_what_is_written_in_the_meantime_is_kept_in_a_copy(path):
    kept = store(path)
    kept.change({"tiling": True})
    path.write_text('{"tiling": true, "jpeg_quality": 55}')
    edited = path.read_bytes()
    kept.change({"n_rows": 2})
    kept.change({"n_rows": 3})
    assert edited in copies(path)


def test_names_that_stand_twice_are_kept_in_a_copy(path):
    path.write_text('{"n_rows": 1, "n_rows": 2}')
    kept = store(path)
    kept.change({"tiling": True})
    kept.change({"tiling": False})
    assert b'{"n_rows": 1, "n_rows": 2}' in copies(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything can be read by this user")
def test_a_file_that_may_not_be_read_is_set_aside_before_it_changes(path):
    path.write_text('{"tiling": true}')
    path.chmod(0)
    kept = store(path)
    kept.change({"n_rows": 2})
    (aside,) = path.parent.glob("config.json.unread-*")
    aside.chmod(0o600)
    assert aside.read_text() == '{"tiling": true}'


def test_a_copy_that_cannot_be_made_leaves_a_broken_file_alone(path, monkeypatch):
    path.write_text('{"tiling": tr')

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        kept = store(path)
        with pytest.raises(EaselError, match="No space left"):
            kept.change({"n_rows": 2})
    assert path.read_text() == '{"tiling": tr'
    kept.change({"n_rows": 2})
    assert b'{"tiling": tr' in copies(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sd_vae", ""),
        ("sd_vae", None),
        ("cross_attention_optimization", "sdp - scaled dot product"),
        ("cross_attention_optimization", "V1 - original v1"),
    ],
)
def test_other_programs_spellings_are_understood(key, value):
    kept = Options().overridden({key: value}).model_dump()[key]
    assert kept in {"Automatic", "sdp", "V1"}
