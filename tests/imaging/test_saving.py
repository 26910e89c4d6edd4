"""Saving: names, numbers, nothing overwritten, nothing half written."""

import errno
import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules.errors import EaselError
from modules.filenames import EVERYWHERE, NameRules
from modules.imaging import (
    PictureFacts,
    PictureFormat,
    SaveFormat,
    SaveOptions,
    SavePlace,
    SmallCopy,
    read_texts,
    save_picture,
)
from modules.imaging.writing import reserved_number, temporary_file
from modules.settings import Options

DAY = datetime(2024, 3, 1, tzinfo=UTC)
picture = Image.new("RGB", (16, 8), "red")
plain = SaveOptions(folder_pattern="")


def facts(seed: int = 5, prompt: str = "a cat") -> PictureFacts:
    return PictureFacts(seed=seed, prompt=prompt, now=DAY)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_pictures_are_numbered_in_a_folder_of_the_day(tmp_path: Path) -> None:
    saved = [
        save_picture(picture, SavePlace(tmp_path, facts(seed)), "text", SaveOptions()) for seed in (5, 9)
    ]
    assert [file.path.relative_to(tmp_path).as_posix() for file in saved] == [
        "2024-03-01/00000-5.png",
        "2024-03-01/00001-9.png",
    ]
    with Image.open(saved[0].path) as image:
        assert read_texts(image).infotext == "text"
        assert image.convert("RGB").tobytes() == picture.tobytes()


def test_grids_are_numbered_apart_from_pictures(tmp_path: Path) -> None:
    (tmp_path / "00041-5.png").touch()
    (tmp_path / "grid-0006.png").touch()
    options = replace(plain, name_pattern="")
    assert (
        save_picture(picture, SavePlace.for_grid(tmp_path, facts()), "", options).path.name == "grid-0007.png"
    )
    assert save_picture(picture, SavePlace(tmp_path, facts()), "", options).path.name == "00042.png"


@pytest.mark.parametrize(
    ("pattern", "add_number", "expected"),
    [
        ("[seed]", False, "5.png"),
        ("[none]", False, "00000.png"),
        ("[prompt_spaces]/[seed]", True, "00000-a cat_5.png"),
        ("../../[seed]", True, "00000-.._.._5.png"),
        ("con", False, "_con.png"),
    ],
)
def test_names_follow_the_pattern(tmp_path: Path, pattern: str, add_number: bool, expected: str) -> None:
    options = replace(plain, name_pattern=pattern, add_number=add_number)
    save_picture(picture, SavePlace(tmp_path, facts()), "", options)
    assert names(tmp_path) == [expected]


def test_without_numbers_a_picture_is_replaced_or_gets_a_suffix(tmp_path: Path) -> None:
    place = SavePlace(tmp_path, facts(), suffix="-before")
    for replaces in (True, True, False, False):
        options = replace(plain, add_number=False, replaces=replaces)
        save_picture(picture, place, "", options)
    assert names(tmp_path) == ["5-before-1.png", "5-before-2.png", "5-before.png"]


def test_a_prompt_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    options = SaveOptions(folder_pattern="../[prompt]", name_pattern="[prompt]")
    saved = save_picture(picture, SavePlace(tmp_path / "in", facts(prompt="../../x")), "", options)
    assert saved.path.resolve().is_relative_to(tmp_path / "in")


@pytest.mark.parametrize("letter", ["x", "日"])
def test_long_names_are_cut_and_keep_number_and_suffix(tmp_path: Path, letter: str) -> None:
    options = replace(plain, name_pattern=letter * 500, text_file=True)
    saved = save_picture(picture, SavePlace(tmp_path, facts(), suffix="-before"), "text", options)
    assert saved.path.name.startswith(f"00000-{letter}")
    assert saved.path.name.endswith(f"{letter}-before.png")
    assert saved.text_file is not None
    assert saved.text_file.read_text(encoding="utf-8") == "text\n"


def test_files_are_readable_as_the_user_wants_new_files_to_be(tmp_path: Path) -> None:
    saved = save_picture(picture, SavePlace(tmp_path, facts()), "", plain)
    (tmp_path / "other").touch()
    assert saved.path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_large_picture_gets_a_small_copy_beside_it(tmp_path: Path) -> None:
    options = replace(plain, small_copy=SmallCopy(10**6, 10))
    saved = save_picture(picture, SavePlace(tmp_path, facts()), "text", options)
    assert saved.small_copy == saved.path.with_suffix(".jpg")
    with Image.open(saved.small_copy) as copy:
        assert (copy.size, read_texts(copy).infotext) == ((10, 5), "text")
    as_jpeg = replace(options, format=SaveFormat(PictureFormat.JPEG))
    assert str(save_picture(picture, SavePlace(tmp_path, facts()), "", as_jpeg).small_copy).endswith(
        "-5-small.jpg"
    )
    within = replace(plain, small_copy=SmallCopy(10**6, 16))
    assert save_picture(picture, SavePlace(tmp_path, facts()), "", within).small_copy is None
    too_many_bytes = replace(plain, small_copy=SmallCopy(10, 16))
    assert save_picture(picture, SavePlace(tmp_path, facts()), "", too_many_bytes).small_copy is not None


def test_a_text_too_long_for_the_format_is_kept_beside_the_picture(tmp_path: Path) -> None:
    options = replace(plain, format=SaveFormat(PictureFormat.JPEG))
    saved = save_picture(picture, SavePlace(tmp_path, facts()), "x" * 50_000, options)
    assert saved.text_file is not None
    assert saved.text_file.read_text(encoding="utf-8").strip() == "x" * 50_000


def save_many(folder: str, seed: int, count: int) -> None:
    image = Image.new("RGB", (2, 2), (seed, 0, 0))
    for _ in range(count):
        save_picture(image, SavePlace(Path(folder), facts(seed)), str(seed), plain)


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2)])
def test_two_programs_writing_at_once_overwrite_nothing(tmp_path: Path, seeds: tuple[int, int]) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=save_many, args=(str(tmp_path), seed, 40)) for seed in seeds]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    files = sorted(tmp_path.iterdir())
    assert [int(file.name[:5]) for file in files] == list(range(80))
    for file in files:
        with Image.open(file) as image:
            assert f"-{read_texts(image).infotext}.png" == file.name[5:]


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_paths: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)


def test_file_systems_without_links_number_just_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_links(monkeypatch)
    for options in (plain, plain, replace(plain, add_number=False, replaces=False)):
        save_picture(picture, SavePlace(tmp_path, facts()), "", options)
        save_picture(picture, SavePlace(tmp_path, facts()), "", options)
    numbered = [f"{number:05}-5.png" for number in range(4)]
    assert names(tmp_path) == [*numbered, "5-1.png", "5.png"]
    assert all((tmp_path / name).stat().st_size > 0 for name in names(tmp_path))


def full_disk(*_arguments: Any, **_named: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def fail_to_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)


def fail_to_make_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", full_disk)


def fail_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    no_links(monkeypatch)
    monkeypatch.setattr(Path, "replace", full_disk)


@pytest.mark.parametrize("fail", [fail_to_sync, fail_to_make_a_folder, fail_to_name])
def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: Callable[[pytest.MonkeyPatch], None]
) -> None:
    save_picture(picture, SavePlace(tmp_path, facts()), "first", plain)
    fail(monkeypatch)
    with pytest.raises(
        EaselError, match=r"could not be saved in .*: No space left on device\. Make room there"
    ):
        save_picture(picture, SavePlace(tmp_path, facts()), "second", plain)
    assert names(tmp_path) == ["00000-5.png"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EaselError, match="Permission denied"):
        save_picture(picture, SavePlace(tmp_path, facts()), "", plain)


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "2024-03-01").touch()
    with pytest.raises(EaselError, match="could not be saved in"):
        save_picture(picture, SavePlace(tmp_path, facts()), "", SaveOptions())


def test_options_come_from_the_settings() -> None:
    settings = Options().overridden({"grid_format": "jpeg", "grid_save_to_dirs": False})
    pictures, grids = SaveOptions.from_options(settings), SaveOptions.from_options(settings, grid=True)
    assert (pictures.name_pattern, pictures.folder_pattern) == ("[seed]", "[date]")
    assert (grids.name_pattern, grids.folder_pattern, grids.format.format) == ("", "", PictureFormat.JPEG)
    assert pictures.small_copy == SmallCopy(4 * 2**20, 4000)
    flat = SaveOptions.from_options(Options().overridden({"save_to_dirs": False, "export_for_4chan": False}))
    assert (flat.name_pattern, flat.folder_pattern, flat.small_copy) == ("[seed]-[prompt_spaces]", "", None)


def test_a_picture_is_announced_with_the_digest_of_its_file_before_it_appears(tmp_path: Path) -> None:
    told: list[tuple[Path, str, bool]] = []
    saved = save_picture(
        picture,
        SavePlace(tmp_path, facts()),
        "text",
        plain,
        about_to_appear=lambda path, digest: told.append((path, digest, path.exists())),
    )
    digest = hashlib.sha256(saved.path.read_bytes()).hexdigest()
    assert told == [(saved.path, digest, False)]


def _die_while_a_number_is_reserved(folder: str) -> None:
    with reserved_number(Path(folder)), temporary_file(Path(folder), b"half a picture"):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
@pytest.mark.parametrize(
    ("options", "name"),
    [
        (plain, "00000-5.png"),
        (SaveOptions(folder_pattern="", add_number=False), "5.png"),
        (SaveOptions(folder_pattern="", add_number=False, replaces=False), "5.png"),
    ],
)
def test_what_a_killed_program_has_left_costs_no_number_and_is_cleared_away(
    tmp_path: Path, options: SaveOptions, name: str
) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_die_while_a_number_is_reserved, args=(str(tmp_path),)
    )
    process.start()
    process.join(60)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".taken", ".tmp"]
    save_picture(picture, SavePlace(tmp_path, facts()), "", options)
    assert names(tmp_path) == [name]


def test_what_a_running_program_is_writing_is_left_alone(tmp_path: Path) -> None:
    with reserved_number(tmp_path) as number, temporary_file(tmp_path, b"half a picture") as unfinished:
        save_picture(picture, SavePlace(tmp_path, facts()), "", plain)
        assert number == 0
        assert unfinished.exists()
        assert (tmp_path / "00001-5.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses such names")
def test_names_keep_what_only_windows_forbids_where_a_flag_asks_for_it(tmp_path: Path) -> None:
    rules = NameRules(longest_part=12, only_unix=True)
    options = replace(
        plain, name_pattern="[prompt]", names=rules, small_copy=SmallCopy(1, 64), add_number=False
    )
    place = SavePlace(tmp_path, facts(prompt="a cat: 1/2? and so on"))
    assert save_picture(picture, place, "", options).path.name == "a_cat:_1_2?_.png"
    assert save_picture(picture, place, "", replace(options, names=EVERYWHERE)).path.name == (
        "a_cat__1_2__and_so_on.png"
    )
    assert (tmp_path / "a_cat:_1_2?_.jpg").is_file()


def test_a_caption_in_the_place_of_the_text_is_kept_in_a_copy(tmp_path: Path) -> None:
    caption = tmp_path / "cat.txt"
    caption.write_text("a cat on a mat", encoding="utf-8")
    options = SaveOptions(name_pattern="cat", folder_pattern="", add_number=False, text_file=True)
    for seed in (1, 2):
        text = f"a cat\nSteps: 1, Seed: {seed}"
        save_picture(Image.new("RGB", (8, 8)), SavePlace(tmp_path, PictureFacts()), text, options)
        assert caption.read_text(encoding="utf-8") == f"{text}\n"
    (copy,) = tmp_path.glob("cat.txt.original-*")
    assert copy.read_text(encoding="utf-8") == "a cat on a mat"
