"""The settings file and the store over it."""

import json
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.errors import EaselError, InvalidRequest
from modules.flags import parse_flags
from modules.settings import SettingsStore
from modules.settings.file import SettingsFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.json"


def store(path, *flags) -> SettingsStore:
    return SettingsStore(path, parse_flags(flags, {}))


def held(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_without_a_file_everything_is_at_its_default_and_no_file_is_made(path):
    assert store(path).options.tiling is False
    assert not path.exists()


def test_a_change_is_there_after_a_restart(path):
    store(path).change({"tiling": True, "hide_samplers": ["LMS"]})
    again = store(path).options
    assert (again.tiling, again.hide_samplers) == (True, ("LMS",))


def test_the_file_holds_what_was_set_and_not_every_default(path):
    store(path).change({"tiling": True})
    assert held(path) == {"tiling": True}


def test_keys_of_other_programs_and_extensions_are_kept(path):
    path.write_text('{"control_net_unit_count": 3, "lora_functional": true, "日本": "語"}', encoding="utf-8")
    store(path).change({"tiling": True})
    assert held(path) == {"control_net_unit_count": 3, "lora_functional": True, "日本": "語", "tiling": True}


def test_a_refused_change_changes_neither_file_nor_snapshot(path):
    kept = store(path)
    kept.change({"n_rows": 2})
    with pytest.raises(InvalidRequest):
        kept.change({"tiling": True, "n_rows": 99})
    assert (kept.options.tiling, held(path)) == (False, {"n_rows": 2})


def test_the_backup_holds_the_file_before_the_last_change(path):
    kept = store(path)
    kept.change({"n_rows": 2})
    kept.change({"n_rows": 3})
    assert held(path.with_name("config.json.bak")) == {"n_rows": 2}


@pytest.mark.parametrize("broken", ["", "{", '{"n_rows": 2', "[1]", "\x00\x01", '{"a": 1} trailing'])
def test_a_broken_file_is_kept_aside_and_the_backup_used(path, broken, caplog):
    kept = store(path)
    kept.change({"n_rows": 2})
    kept.change({"n_rows": 3})
    path.write_text(broken)
    again = store(path)
    assert again.options.n_rows == 2
    (aside,) = path.parent.glob("config.json.broken-*")
    assert aside.read_text() == broken
    assert f"kept as {aside.name}" in caplog.text
    assert store(path).options.n_rows == 2


def test_a_broken_file_without_a_backup_gives_the_defaults(path, caplog):
    path.write_bytes(b"\xff\xfe{")
    assert store(path).options.n_rows == -1
    assert "the defaults are used" in caplog.text


def test_impossible_values_are_said_and_stay_in_the_file_until_they_are_set(path, caplog):
    path.write_text('{"n_rows": 99, "samples_save": "maybe", "tiling": true}')
    with caplog.at_level(logging.WARNING):
        kept = store(path)
    assert (kept.options.n_rows, kept.options.samples_save, kept.options.tiling) == (-1, True, True)
    assert "n_rows (Grid row count) cannot be 99" in caplog.text
    kept.change({"jpeg_quality": 90})
    assert held(path) == {"n_rows": 99, "samples_save": "maybe", "tiling": True, "jpeg_quality": 90}
    kept.change({"n_rows": 4})
    assert held(path)["n_rows"] == 4


def test_a_file_with_a_byte_order_mark_is_read(path):
    path.write_text('{"tiling": true}', encoding="utf-8-sig")
    assert store(path).options.tiling is True


def test_a_folder_in_the_files_place_is_said_and_left_alone(path, caplog):
    path.mkdir()
    kept = store(path)
    assert "cannot be read" in caplog.text
    with pytest.raises(EaselError, match="is no file"):
        kept.change({"tiling": True})
    assert path.is_dir()


def test_a_full_disk_leaves_file_and_snapshot_as_they_were(path, monkeypatch):
    kept = store(path)
    kept.change({"n_rows": 2})

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EaselError, match="No space left on device"):
        kept.change({"n_rows": 3})
    assert (kept.options.n_rows, held(path)) == (2, {"n_rows": 2})
    assert [each.name for each in path.parent.iterdir() if each.name.endswith(".tmp")] == []


def test_a_linked_file_stays_a_link(path, tmp_path):
    real = tmp_path / "real.json"
    real.write_text("{}")
    path.symlink_to(real)
    store(path).change({"tiling": True})
    assert path.is_symlink()
    assert held(real) == {"tiling": True}


def test_listeners_hear_before_and_after_and_can_leave(path):
    heard = []
    kept = store(path)
    leave = kept.on_change(lambda before, after: heard.append((before.n_rows, after.n_rows)))
    kept.change({"n_rows": 2})
    kept.change({"n_rows": 2})
    leave()
    kept.change({"n_rows": 3})
    assert heard == [(-1, 2)]


def test_changes_from_many_threads_are_all_kept(path):
    kept = store(path)
    start = threading.Barrier(8)

    def change(number):
        start.wait()
        kept.change({f"key_{number}": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))
    assert held(path) == {f"key_{number}": number for number in range(8)}


@pytest.mark.parametrize(
    ("flags", "key", "reason"),
    [
        (["--freeze-settings"], "tiling", "--freeze-settings"),
        (["--freeze-settings-in-sections", "sd, vae"], "tiling", "its section sd"),
        (["--freeze-specific-settings", "n_rows,tiling"], "tiling", "--freeze-specific-settings names it"),
        (["--hide-ui-dir-config"], "outdir_save", "--hide-ui-dir-config"),
    ],
)
def test_frozen_settings_are_refused_with_the_flag_that_froze_them(path, flags, key, reason):
    value = {"tiling": True, "outdir_save": "elsewhere"}[key]
    kept = store(path, *flags)
    with pytest.raises(EaselError, match=reason):
        kept.change({key: value})
    assert not path.exists()


def test_a_frozen_setting_may_be_set_to_what_it_is(path):
    store(path, "--freeze-settings").change({"tiling": False})


def test_other_settings_stay_free_when_some_are_frozen(path):
    kept = store(path, "--freeze-settings-in-sections", "sd", "--hide-ui-dir-config")
    assert kept.change({"n_rows": 2}).n_rows == 2


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.text(),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(tmp_path_factory, values):
    file = SettingsFile(tmp_path_factory.mktemp("settings") / "config.json")
    file.write(values)
    assert file.read() == values
