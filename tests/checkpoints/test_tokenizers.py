"""A tokenizer is read from its two files, and one that cannot be is said by its folder."""

import shutil

import pytest

from modules.checkpoints.tokenizers import load_tokenizer
from modules.errors import EaselError


@pytest.fixture
def folder(configs, tmp_path):
    return shutil.copytree(configs / "clip-tokenizer", tmp_path / "own")


def test_texts_become_the_standard_tokens(folder):
    assert load_tokenizer(folder).tokenize("Ça va? naïve") == [
        "Ã§a</w>", "va</w>", "?</w>", "na", "Ã¯", "ve</w>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("vocab.json", b"{"),
        ("vocab.json", b"[]"),
        ("vocab.json", None),
        ("merges.txt", b"\xff\xfe"),
        ("merges.txt", b"a b c\n"),
        ("merges.txt", b"zz qq\n"),
    ],
)
def test_damaged_files_are_told_with_their_folder(folder, name, contents):
    (folder / name).unlink()
    if contents is not None:
        (folder / name).write_bytes(contents)
    with pytest.raises(EaselError, match=r"The tokenizer in .*own cannot be read"):
        load_tokenizer(folder)
