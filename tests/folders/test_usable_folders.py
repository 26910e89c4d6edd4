"""Folders that cannot be written, or are no folders: what that costs is said, and the rest works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modules.errors import EaselError
from modules.flags import parse_flags
from modules.folders import Folders
from modules.usable_folders import usable_folders

ROOT = Path(__file__).resolve().parents[2]
SETPRIV = shutil.which("setpriv")
TOLD = """
import sys
from modules.flags import parse_flags
from modules.folders import Folders
from modules.usable_folders import usable_folders
folders, sentences = usable_folders(Folders.from_flags(parse_flags(sys.argv[1:], {})))
(folders.scratch / "written").write_text("")
print(folders.scratch, *sentences, sep="\\n")
"""


def usable(*words: str | Path) -> tuple[Folders, tuple[str, ...]]:
    return usable_folders(Folders.from_flags(parse_flags([str(word) for word in words], {})))


def test_folders_that_can_be_used_stay_as_they_are(tmp_path):
    folders, sentences = usable("--data-dir", tmp_path / "not" / "yet")
    assert (sentences, folders.scratch) == ((), None)
    assert folders.outputs.is_dir()


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "VAE").write_text("")
    (tmp_path / "embeddings").write_text("")
    _, [sentence] = usable("--data-dir", tmp_path)
    assert sentence == (
        "Not there, and cannot be made (there is a file of that name): "
        f"{tmp_path / 'models/VAE'}, {tmp_path / 'embeddings'}."
    )


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(
        EaselError, match=r"data cannot be made: there is a file of that name\. .* --data-dir"
    ):
        usable("--data-dir", tmp_path / "data")
    with pytest.raises(EaselError, match=r"below cannot be made: Not a directory"):
        usable("--data-dir", tmp_path / "data" / "below")


def test_a_folder_that_a_flag_names_and_that_is_not_there_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    _, sentences = usable(
        "--data-dir", tmp_path, "--ckpt-dir", "/gone", "--lora-dir", "/gone/too", "--vae-dir", "/gone"
    )
    assert [sentence.split(",")[0] for sentence in sentences] == [
        "There is no folder /gone",
        "There is no folder /gone/too",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_what_a_read_only_folder_costs_is_said_and_the_state_lies_elsewhere(tmp_path):
    data = tmp_path / "data"
    (data / "models").mkdir(parents=True)
    (data / "config.json").write_text("{}")
    command = [sys.executable, "-c", TOLD, "--data-dir", str(data)]
    if os.geteuid() == 0:
        if SETPRIV is None:
            pytest.skip("root may write everywhere, and there is no setpriv")
        command = [SETPRIV, "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]
    for path in (*data.rglob("*"), data):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    finally:
        for path in (data, *data.rglob("*")):
            path.chmod(0o700)
    assert done.returncode == 0, done.stderr
    scratch, made, state, models, settings = done.stdout.splitlines()
    shutil.rmtree(scratch)
    assert made.startswith("Not there, and cannot be made (Permission denied): ")
    assert state.startswith(f"{data} cannot be written: Permission denied. The queue, its history")
    assert models.startswith(f"{data / 'models'} cannot be written: Permission denied; its models are used")
    assert (
        settings
        == f"{data / 'config.json'} cannot be written: Permission denied; settings cannot be changed."
    )
