"""What is found in the folders, and which file a text means."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from modules.checkpoints import CheckpointFile, CheckpointShelf, HashCache, VaeShelf
from modules.errors import InvalidRequest, NotFound

MakeShelf = Callable[..., CheckpointShelf]


@pytest.fixture
def folders(tmp_path: Path) -> SimpleNamespace:
    """The folders that the shelves look into."""
    places = {name: tmp_path / name for name in ("checkpoints", "elsewhere", "vae", "diffusers")}
    for place in places.values():
        place.mkdir()
    return SimpleNamespace(
        checkpoints=(places["checkpoints"], places["elsewhere"]),
        vae=(places["vae"],),
        diffusers=places["diffusers"],
    )


@pytest.fixture
def shelf_of(folders: SimpleNamespace, hashes: HashCache) -> MakeShelf:
    """A shelf of files of these names, each with its name as its contents."""

    def make(*names: str) -> CheckpointShelf:
        for name in names:
            path = folders.checkpoints[0] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return CheckpointShelf(folders, hashes)

    return make


def names_of(shelf: CheckpointShelf) -> list[str]:
    return [file.name for file in shelf.list()]


def test_checkpoints_of_all_folders_are_listed_by_name_hidden_ones_last_and_vaes_are_not(
    shelf_of: MakeShelf, folders: SimpleNamespace
) -> None:
    (folders.checkpoints[1] / "far.CKPT").write_text("x")
    shelf = shelf_of(
        "b.safetensors", "Sub/A.ckpt", "b.vae.safetensors", "c.vae.pt", "notes.txt", "d.yaml", ".x/e.ckpt"
    )
    assert names_of(shelf) == ["b.safetensors", "far.CKPT", "Sub/A.ckpt", ".x/e.ckpt"]


def test_a_model_in_diffusers_layout_is_one_checkpoint_with_a_hash_of_its_own(
    shelf_of: MakeShelf, folders: SimpleNamespace
) -> None:
    for name in ("mine-v1.5", "sub/other"):
        folder = folders.diffusers / name
        (folder / "unet").mkdir(parents=True)
        (folder / "model_index.json").write_text("{}")
        (folder / "unet" / "diffusion_pytorch_model.safetensors").write_text(name)
    (folders.diffusers / "no-model" / "unet").mkdir(parents=True)
    shelf = shelf_of("a.ckpt")
    assert names_of(shelf) == ["a.ckpt", "mine-v1.5", "sub/other"]
    mine, other = shelf.find("mine-v1.5"), shelf.find("other")
    assert (mine.stem, mine.model_name, other.model_name) == ("mine-v1.5", "mine-v1.5", "sub_other")
    assert mine.sha256 and mine.sha256 != other.sha256
    assert shelf.find(mine.sha256).path == mine.path
    assert mine.size == len("{}") + len("mine-v1.5")
    before = mine.sha256
    (mine.path / "unet" / "diffusion_pytorch_model.safetensors").write_text("something else")
    assert mine.known_sha256 is None and mine.sha256 != before


def test_a_folder_that_links_to_itself_is_read_once(shelf_of: MakeShelf, folders: SimpleNamespace) -> None:
    (folders.checkpoints[0] / "loop").symlink_to(folders.checkpoints[0], target_is_directory=True)
    assert names_of(shelf_of("a.ckpt")) == ["a.ckpt"]


def test_a_new_file_is_there_without_a_refresh(shelf_of: MakeShelf, folders: SimpleNamespace) -> None:
    shelf = shelf_of("a.ckpt")
    (folders.checkpoints[0] / "b.ckpt").write_text("b")
    assert names_of(shelf) == ["a.ckpt", "b.ckpt"]


def test_a_checkpoint_named_on_the_command_line_is_listed_too(
    folders: SimpleNamespace, hashes: HashCache, tmp_path: Path
) -> None:
    (tmp_path / "mine.safetensors").write_text("x")
    shelf = CheckpointShelf(folders, hashes, [tmp_path / "mine.safetensors", tmp_path / "gone.safetensors"])
    assert names_of(shelf) == ["mine.safetensors"]


def test_the_recorded_names_and_hashes_are_told_and_each_id_finds_its_file(
    parity_models: Path, parity_reference: Path, hashes: HashCache
) -> None:
    folders = SimpleNamespace(checkpoints=(parity_models,), vae=(), diffusers=parity_models / "none")
    shelf = CheckpointShelf(folders, hashes)
    recorded = json.loads((parity_reference / "hashes.json").read_text())["checkpoints"][0]
    file = shelf.find("tiny-sd1")
    assert file.title == "tiny-sd1.safetensors"
    assert file.sha256 == recorded["sha256"]
    assert file.title == recorded["title"]
    assert file.short_title == recorded["short_title"]
    assert file.short_hash == recorded["shorthash"]
    assert file.old_hash == recorded["old_hash"]
    assert list(file.metadata) == recorded["metadata_keys"]
    assert {shelf.find(text) for text in recorded["ids"]} == {file}
    assert set(recorded["ids"]) <= file.ids


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sub/anime.safetensors", "sub/anime.safetensors"),
        ("sub_anime", "sub/anime.safetensors"),
        ("anime", "sub/anime.safetensors"),
        ("ANIME.safetensors", "sub/anime.safetensors"),
        ("anime [0123456789]", "sub/anime.safetensors"),
        ("real", "realistic.ckpt"),
        ("  realistic.ckpt ", "realistic.ckpt"),
        ("anime-v2", "sub/anime-v2.safetensors"),
        ("nime", "sub/anime.safetensors"),
    ],
)
def test_names_find_checkpoints_exact_ones_first_then_the_shortest(
    text: str, name: str, shelf_of: MakeShelf
) -> None:
    shelf = shelf_of(
        "sub/anime.safetensors", "sub/anime-v2.safetensors", "realistic.ckpt", "realistic-long.ckpt"
    )
    assert shelf.find(text).name == name


@pytest.mark.parametrize("digits", [10, 64])
def test_a_hash_finds_a_file_that_was_never_hashed(digits: int, shelf_of: MakeShelf) -> None:
    shelf = shelf_of("a.ckpt", "b.ckpt")
    sha256 = "3e0b9b9f4a8d9a1d"  # of nothing here
    with pytest.raises(NotFound):
        shelf.find(sha256.ljust(64, "0")[:digits])
    assert shelf.find((shelf.list()[1].sha256 or "")[:digits]).name == "b.ckpt"


@pytest.mark.parametrize("text", ["missing", "", "[0123456789]", "deadbeef00"])
def test_what_is_not_there_is_said_with_what_is(text: str, shelf_of: MakeShelf) -> None:
    with pytest.raises(NotFound, match=r"There are: a\.ckpt"):
        shelf_of("a.ckpt").find(text)


def test_an_empty_shelf_says_where_to_put_a_checkpoint(shelf_of: MakeShelf) -> None:
    with pytest.raises(NotFound, match=r"There is no checkpoint in .*checkpoints"):
        shelf_of().find("any")


def test_the_configuration_is_the_yaml_of_the_same_name(shelf_of: MakeShelf) -> None:
    shelf = shelf_of("a.ckpt", "a.yaml", "b.ckpt")
    assert [file.config_path and file.config_path.name for file in shelf.list()] == ["a.yaml", None]


@pytest.fixture
def vaes(folders: SimpleNamespace, hashes: HashCache) -> VaeShelf:
    (folders.checkpoints[0] / "anime.vae.pt").write_text("beside")
    (folders.vae[0] / "anime.safetensors").write_text("same name")
    (folders.vae[0] / "sharp.safetensors").write_text("other")
    return VaeShelf(folders, hashes)


@pytest.mark.parametrize(
    ("setting", "checkpoint", "expected"),
    [
        ("Automatic", "anime.ckpt", "anime.vae.pt"),
        ("Automatic", "anime2.ckpt", None),
        ("None", "anime.ckpt", None),
        ("sharp.safetensors", "anime.ckpt", "sharp.safetensors"),
        ("sharp", "anime.ckpt", "sharp.safetensors"),
    ],
)
def test_the_setting_chooses_the_vae(
    setting: str,
    checkpoint: str,
    expected: str | None,
    vaes: VaeShelf,
    folders: SimpleNamespace,
    hashes: HashCache,
) -> None:
    chosen = vaes.choose(setting, CheckpointFile(folders.checkpoints[0] / checkpoint, hashes, checkpoint))
    assert (chosen and chosen.name) == expected


def test_an_unknown_vae_is_refused_with_the_choices(vaes: VaeShelf) -> None:
    assert [file.name for file in vaes.list()] == ["anime.safetensors", "anime.vae.pt", "sharp.safetensors"]
    with pytest.raises(InvalidRequest, match=r'"blurry".*Automatic, None, anime\.safetensors') as refusal:
        vaes.find("blurry")
    assert refusal.value.field == "sd_vae"
