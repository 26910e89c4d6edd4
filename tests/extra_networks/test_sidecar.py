"""NAME.json beside a network: the field's keys, read as they are found and written without losing anything."""

import json

import pytest

from modules.errors import EaselError
from modules.extra_networks.sidecar import read_sidecar, read_text, write_sidecar

FIELDS_FILE = """{
    "description": "Ink",
    "sd version": "SD1",
    "activation text": "ink drawing",
    "preferred weight": 0.8,
    "negative text": "photo",
    "notes": "by a friend"
}"""


def test_a_file_that_the_fields_program_wrote_is_read(tmp_path):
    (tmp_path / "ink.json").write_text(FIELDS_FILE)
    read = read_sidecar(tmp_path / "ink.json")
    assert (read.description, read.sd_version, read.activation_text) == ("Ink", "SD1", "ink drawing")
    assert (read.preferred_weight, read.negative_text, read.notes) == (0.8, "photo", "by a friend")


def test_what_is_written_is_what_the_fields_program_writes(tmp_path):
    values = {
        "description": "Ink",
        "sd_version": "SD1",
        "activation_text": "ink drawing",
        "preferred_weight": 0.8,
        "negative_text": "photo",
        "notes": "by a friend",
    }
    write_sidecar(tmp_path / "ink.json", values)
    assert (tmp_path / "ink.json").read_text() == FIELDS_FILE


def test_keys_of_other_programs_stay(tmp_path):
    file = tmp_path / "ink.json"
    file.write_text('{"civitai": {"id": 7}, "notes": "old", "preferred weight": 1}')
    write_sidecar(file, {"notes": "Größe"})
    assert json.loads(file.read_text("utf-8")) == {
        "civitai": {"id": 7},
        "notes": "Größe",
        "preferred weight": 1,
    }
    assert "Größe" in file.read_text("utf-8")


@pytest.mark.parametrize("content", ["{broken", "[1, 2]", '"text"', "[" * 100_000, "", "\xff\xfe\x00"])
def test_a_file_that_is_no_description_says_nothing_and_is_not_written_over(tmp_path, content):
    file = tmp_path / "ink.json"
    file.write_bytes(content.encode("latin-1"))
    assert read_sidecar(file).description is None
    with pytest.raises(EaselError, match=r"ink\.json .* left as it is"):
        write_sidecar(file, {"notes": "mine"})
    assert file.read_bytes() == content.encode("latin-1")


def test_values_of_other_kinds_are_taken_as_far_as_they_go(tmp_path):
    file = tmp_path / "ink.json"
    file.write_text(
        '{"description": 12, "activation text": ["a", "b"], "preferred weight": "0.5", "notes": {}}'
    )
    read = read_sidecar(file)
    assert (read.description, read.activation_text, read.preferred_weight) == ("12", "a, b", 0.5)
    assert read.notes == ""
    file.write_text('{"preferred weight": "NaN"}')
    assert read_sidecar(file).preferred_weight == 0


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    (tmp_path / "ink.txt").write_bytes("\ufeffInk\n".encode())
    (tmp_path / "ink.json").write_bytes("\ufeff".encode() + b'{"notes": "x"}')
    assert read_text(tmp_path / "ink.txt") == "Ink"
    assert read_sidecar(tmp_path / "ink.json").notes == "x"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(EaselError, match=r"ink\.json cannot be written"):
        write_sidecar(tmp_path / "gone" / "ink.json", {"notes": ""})


def test_a_file_that_would_not_be_written_as_it_is_stays_in_a_copy(tmp_path):
    file = tmp_path / "ink.json"
    written = b'{"notes": "caf\xe9", "notes": "again", "x": 1}'
    file.write_bytes(written)
    write_sidecar(file, {"description": "ink"})
    (copy,) = tmp_path.glob("ink.json.original-*")
    assert copy.read_bytes() == written
    assert json.loads(file.read_text(encoding="utf-8")) == {"notes": "again", "x": 1, "description": "ink"}
    write_sidecar(file, {"description": "more ink"})
    assert len(list(tmp_path.glob("ink.json.original-*"))) == 1
