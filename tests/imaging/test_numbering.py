"""The number of the next picture: only names that the program's own numbering wrote count."""

from pathlib import Path

import pytest
from PIL import Image

from modules.imaging import PictureFacts, SaveOptions, SavePlace, save_picture
from modules.imaging.numbering import last_number, numbered, own_numbers

PICTURE = Image.new("RGB", (8, 8))


def saved(folder: Path, pattern: str, *, add_number: bool = True, prefix: str = "", seed: int = 5) -> str:
    options = SaveOptions(name_pattern=pattern, folder_pattern="", add_number=add_number)
    facts = PictureFacts(seed=seed)
    return save_picture(PICTURE, SavePlace(folder, facts, prefix=prefix), "", options).path.name


@pytest.mark.parametrize(
    "name",
    [
        "2026-12-01.png",
        "2026.png",
        "20261201082901-5.png",
        "20261201.png",
        "082901.png",
        "182901.png",
        "1234567890-cat.png",
        "123456.png",
        "7-cat.png",
        "0123456789.png",
        "99-99999.png",
        "00012.docx",
        "00012cat.png",
        "00012 .png",
        "\u0660\u0660\u0660\u0661\u0662.png",
        "grid-0044.png",
    ],
)
def test_a_name_that_only_begins_with_digits_is_no_number(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert saved(tmp_path, "[seed]") == "00000-5.png"


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    for name in ("2026-12-01", "00077", "00078.png"):
        (tmp_path / name).mkdir()
    assert saved(tmp_path, "[seed]") == "00000-5.png"


def test_a_pattern_with_a_time_and_no_number_leaves_the_numbering_as_it_was(tmp_path: Path) -> None:
    assert saved(tmp_path, "[datetime]-[seed]") == saved(tmp_path, "[datetime]-[seed]").replace(
        "00001", "00000"
    )
    saved(tmp_path, "[datetime]", add_number=False)
    saved(tmp_path, "[seed]", add_number=False, seed=1234567890)
    saved(tmp_path, "[date]", add_number=False)
    assert saved(tmp_path, "[seed]") == "00002-5.png"


@pytest.mark.parametrize(
    "name", ["00041.png", "00041-cat.JPG", "00041-before-highres-fix.webp", "00041-5.txt"]
)
def test_what_the_numbering_wrote_counts(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert saved(tmp_path, "[seed]") == "00042-5.png"


def test_grids_have_a_numbering_of_their_own(tmp_path: Path) -> None:
    for name in (
        "grid-2026-12-01.png",
        "grid-20261201-5.png",
        "00099-5.png",
        "grid-0007.png",
        "grid-0008-x.jpg",
    ):
        (tmp_path / name).touch()
    assert saved(tmp_path, "", prefix="grid") == "grid-0009.png"
    assert saved(tmp_path, "[seed]") == "00100-5.png"


def test_numbers_go_on_beyond_their_usual_digits() -> None:
    names = [f"{numbered(number)}-5.png" for number in range(99_990, 100_020)]
    assert last_number([*names, "20261201.png", "123456.png"]) == 100_019
    assert last_number(["100000.png", "00007.png"]) == 7
    assert own_numbers([f"{numbered(number, 'grid')}.png" for number in (9_999, 10_000)], "grid") == {
        9_999,
        10_000,
    }
