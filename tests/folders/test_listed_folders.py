"""Folders that people fill: odd entries are passed over, and what has changed is seen."""

import os
import sys

import pytest

from modules.listing import FileTree, folder_entries, named_apart, shown_name

POSIX = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are text")


def names(tree):
    tree.look()
    return [file.path.name for file in tree.files]


@POSIX
@pytest.mark.parametrize("name", [b"caf\xe9.safetensors", b"new\nline.safetensors", b"bell\x07.safetensors"])
def test_names_that_are_no_text_are_passed_over_with_a_sentence(tmp_path, name):
    (tmp_path / "good.safetensors").write_bytes(b"x")
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):  # noqa: PTH118, PTH123
        pass
    tree = FileTree([tmp_path], (".safetensors",))
    assert names(tree) == ["good.safetensors"]
    (sentence,) = tree.passed_over
    assert "was passed over: its name holds" in sentence and sentence.isprintable()


@POSIX
def test_links_to_nothing_loops_and_pipes_are_no_files(tmp_path):
    (tmp_path / "gone.pt").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.pt").symlink_to("loop.pt")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "folder.pt" / "inside.pt").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.pt")
    assert names(FileTree([tmp_path], (".pt",))) == ["inside.pt"]


def test_a_folder_that_cannot_be_read_costs_its_own_files_alone(tmp_path, monkeypatch):
    for folder in ("closed", "open"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.pt").write_bytes(b"x")
    scandir = os.scandir

    def refusing(folder):
        if os.fspath(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    tree = FileTree([tmp_path], (".pt",))
    assert names(tree) == ["x.pt"]
    assert tree.passed_over == (f"The folder {tmp_path / 'closed'} was passed over: Permission denied.",)


def test_a_tree_knows_when_its_folders_have_changed(tmp_path):
    (tmp_path / "below").mkdir()
    old = 1_000_000_000
    for folder in (tmp_path / "below", tmp_path):
        os.utime(folder, (old, old))
    tree = FileTree([tmp_path, tmp_path / "missing"], (".pt",))
    assert not tree.is_current()
    tree.look()
    assert tree.is_current()
    (tmp_path / "below" / "new.pt").write_bytes(b"x")
    assert not tree.is_current() and names(tree) == ["new.pt"]
    # What was changed a moment ago may change again within the same step of the file system's clock.
    assert not tree.is_current()


def test_files_of_one_name_get_names_of_their_own_and_links_count_once(tmp_path):
    for place in ("x.pt", "x.safetensors", "a/x.pt", "b/x.pt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(place.encode())
    (tmp_path / "c").symlink_to(tmp_path / "b", target_is_directory=True)
    tree = FileTree([tmp_path], (".pt", ".safetensors"))
    tree.look()
    named = named_apart(tree.files, lambda file: file.path.stem)
    assert {name: file.path.relative_to(tmp_path).as_posix() for name, file in named.items()} == {
        "x": "x.pt",
        "x.safetensors": "x.safetensors",
        "a/x": "a/x.pt",
        "b/x": "b/x.pt",
    }


def test_names_are_shown_with_escapes_for_what_is_no_text():
    assert shown_name("caf\udce9 \n.pt") == "caf\\xe9 \\n.pt"
    assert shown_name("half \ud800.pt") == "half \\ud800.pt"
    assert shown_name("café 猫.pt") == "café 猫.pt"


def test_a_folder_that_is_not_there_is_empty_without_a_word(tmp_path):
    assert folder_entries(tmp_path / "nothing") == folder_entries(tmp_path)
