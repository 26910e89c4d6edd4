"""Where everything lies."""

from pathlib import Path

import pytest

from modules.errors import EaselError
from modules.filenames import NameRules
from modules.flags import parse_flags
from modules.folders import PROGRAM, Folders


def folders(*words: str | Path) -> Folders:
    return Folders.from_flags(parse_flags([str(word) for word in words], {}))


def test_without_flags_everything_lies_in_the_program_folder():
    found = folders()
    assert found.data == found.program == PROGRAM
    assert found.checkpoints == (PROGRAM / "models/Stable-diffusion",)
    assert found.config_file == PROGRAM / "config.json"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("models", "models"),
        ("vae", ("models/VAE",)),
        ("loras", ("models/Lora",)),
        ("lycoris", ("models/LyCORIS",)),
        ("hypernetworks", ("models/hypernetworks",)),
        ("embeddings", ("embeddings",)),
        ("outputs", "outputs"),
        ("cache", "cache"),
        ("extensions", "extensions"),
        ("config_file", "config.json"),
        ("ui_config_file", "ui-config.json"),
        ("styles_files", ("styles.csv",)),
    ],
)
def test_the_data_folder_moves_what_a_user_owns(tmp_path, name, place):
    expected = tuple(tmp_path / each for each in place) if isinstance(place, tuple) else tmp_path / place
    assert getattr(folders("--data-dir", tmp_path), name) == expected


@pytest.mark.parametrize("name", ["configs", "scripts", "localizations", "textual_inversion_templates"])
def test_the_data_folder_leaves_what_belongs_to_the_program(tmp_path, name):
    assert getattr(folders("--data-dir", tmp_path), name).parent == PROGRAM


def test_the_programs_own_checkpoints_are_searched_last(tmp_path):
    found = folders("--data-dir", tmp_path / "data", "--ckpt-dir", tmp_path / "more")
    assert found.checkpoints == (
        tmp_path / "data/models/Stable-diffusion",
        tmp_path / "more",
        PROGRAM / "models/Stable-diffusion",
    )


def test_a_folder_named_twice_is_searched_once():
    assert folders("--ckpt-dir", PROGRAM / "models/Stable-diffusion").checkpoints == (
        PROGRAM / "models/Stable-diffusion",
    )


@pytest.mark.parametrize(
    ("flag", "attribute"),
    [
        ("--embeddings-dir", "embeddings"),
        ("--lora-dir", "loras"),
        ("--lyco-dir", "lycoris"),
        ("--lyco-dir-backcompat", "lycoris"),
        ("--hypernetwork-dir", "hypernetworks"),
    ],
)
def test_a_flag_for_one_kind_replaces_its_folder(tmp_path, flag, attribute):
    assert getattr(folders(flag, tmp_path), attribute) == (tmp_path,)


def test_of_a_folder_that_is_named_twice_both_are_searched(tmp_path):
    words = ["--ckpt-dir", "--vae-dir", "--lora-dir", "--lyco-dir", "--embeddings-dir", "--hypernetwork-dir"]
    found = folders(*(word for flag in words for name in "ab" for word in (flag, tmp_path / name)))
    both = (tmp_path / "a", tmp_path / "b")
    assert found.checkpoints[1:3] == both
    assert found.new_checkpoints == tmp_path / "a"
    assert found.vae[1:] == found.loras == found.lycoris == found.embeddings == found.hypernetworks == both


def test_the_vae_folder_of_a_flag_is_searched_as_well(tmp_path):
    assert folders("--vae-dir", tmp_path).vae == (PROGRAM / "models/VAE", tmp_path)


def test_the_models_folder_can_lie_elsewhere_than_the_data(tmp_path):
    found = folders("--data-dir", tmp_path / "data", "--models-dir", tmp_path / "models")
    assert found.loras == (tmp_path / "models/Lora",)
    assert found.embeddings == (tmp_path / "data/embeddings",)


def test_upscalers_have_the_fields_folders_and_flags(tmp_path):
    found = folders("--data-dir", tmp_path, "--swinir-models-path", tmp_path / "own")
    assert found.upscalers["ESRGAN"] == tmp_path / "models/ESRGAN"
    assert found.upscalers["SwinIR"] == tmp_path / "own"


def test_relative_paths_start_at_the_working_folder_and_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert folders("--data-dir", "mine").data == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "expected"), [("outputs/x", "data/outputs/x"), ("../other", "data/../other"), ("/abs", "/abs")]
)
def test_the_place_of_a_relative_setting_is_inside_the_data_folder(tmp_path, text, expected):
    assert folders("--data-dir", tmp_path / "data").place(text) == tmp_path / expected


def test_ensure_makes_what_a_user_needs_and_nothing_beyond_the_data_folder(tmp_path):
    outside = tmp_path / "outside"
    folders("--data-dir", tmp_path / "data", "--ckpt-dir", outside, "--lora-dir", outside / "lora").ensure()
    made = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*")}
    assert {"models/Stable-diffusion", "models/VAE", "embeddings", "outputs", "extensions"} <= made
    assert not outside.exists()


def test_clients_are_told_the_folders_that_are_used(tmp_path):
    flags = parse_flags(["--data-dir", str(tmp_path), "--listen"], {})
    told = Folders.from_flags(flags).told(flags)
    assert (told.lora_dir, told.ui_config_file) == (tmp_path / "models/Lora", tmp_path / "ui-config.json")
    assert told.swinir_models_path == tmp_path / "models/SwinIR"
    assert (told.ckpt_dir, told.listen) == (None, True)


def test_ensure_can_be_repeated_and_follows_links(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(tmp_path / "elsewhere")
    found = folders("--data-dir", tmp_path / "data")
    found.ensure()
    found.ensure()
    assert (tmp_path / "elsewhere/Stable-diffusion").is_dir()


def test_flags_say_what_names_of_pictures_may_be(tmp_path, monkeypatch):
    flags = ["--data-dir", str(tmp_path), "--filenames-max-length", "40", "--unix-filenames-sanitization"]
    monkeypatch.setattr("sys.platform", "linux")
    assert folders(*flags).names == NameRules(longest_part=40, only_unix=True)
    assert folders().names == NameRules(longest_part=128, only_unix=False)
    with pytest.raises(EaselError, match="--filenames-max-length 0: a text in a file name has at least one"):
        folders("--filenames-max-length", "0")


def test_on_windows_names_stay_as_windows_takes_them(monkeypatch):
    flags = parse_flags(["--unix-filenames-sanitization"])
    monkeypatch.setattr("sys.platform", "win32")
    assert not Folders.from_flags(flags).names.only_unix


@pytest.mark.parametrize("name", ["caf\udce9", "two\nlines"])
def test_a_folder_whose_path_is_no_text_is_refused(tmp_path, name):
    with pytest.raises(EaselError, match="are not UTF-8, or control characters"):
        folders("--data-dir", f"{tmp_path}/{name}")
