"""Styles files that other programs and people wrote: read as far as can be, and never lost."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import EaselError, InvalidRequest
from modules.prompts import StyleBook
from modules.prompts.style_table import COLUMNS, StyleTable, read_table

ANIME = ("Anime", "1girl, anime", "bad hands")


def styles_of(data: bytes) -> list[tuple[str, ...]]:
    return [tuple(cells[column] for column in COLUMNS) for cells in read_table(data).styles()]


def book_of(folder: Path, data: bytes) -> tuple[StyleBook, Path]:
    file = folder / "styles.csv"
    file.write_bytes(data)
    return StyleBook([file]), file


@pytest.mark.parametrize(
    "text",
    [
        "name;prompt;negative_prompt\nAnime;1girl, anime;bad hands\n",
        "name\tprompt\tnegative_prompt\nAnime\t1girl, anime\tbad hands\n",
        "sep=;\r\nName;Prompt;Negative Prompt\r\nAnime;1girl, anime;bad hands\r\n",
        'Name,Prompt,Negative Prompt\nAnime,"1girl, anime",bad hands\n',
        ' NAME , negative-prompt,PROMPT\nAnime,bad hands,"1girl, anime"\n',
        '# my styles\n\nname,prompt,negative_prompt\nAnime,"1girl, anime",bad hands',
        'Anime,"1girl, anime",bad hands\n',
        "Anime;1girl, anime;bad hands\nOther;2;3\n",
        "# mine\nAnime\t1girl, anime\tbad hands\n",
        'id,name,prompt,negative_prompt,note\n1,Anime,"1girl, anime",bad hands,from a friend\n',
        'name,text,negative\nAnime,"1girl, anime",bad hands\n',
    ],
)
def test_delimiter_header_and_encoding_are_found_out(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert styles_of(text.encode(encoding))[0] == ANIME
    assert styles_of(text.encode("utf-16-le"))[0] == ANIME


@pytest.mark.parametrize(
    "text",
    [
        "name;prompt;negative_prompt\nAnime;1girl, anime;bad hands\n",
        "Anime;1girl, anime;bad hands\n;no name;\n\n# a comment\n",
        'id,name,prompt,negative_prompt,note\n7,Anime,"1girl, anime",bad hands,mine\n8,,kept,,\n',
        'name,prompt,negative_prompt\nAnime,1girl, anime,bad hands\nOpen,"never closed\nLast,a,b\n',
        "# first\nname,prompt\nAnime,x\nTwice,1\nTwice,2\n",
        "name\nAnime\n",
    ],
)
def test_saving_a_style_keeps_every_line_of_a_foreign_file_and_a_copy(tmp_path: Path, text: str) -> None:
    book, file = book_of(tmp_path, text.encode())
    known = {style.name: (style.prompt, style.negative_prompt) for style in book.list()}
    book.save("new", "a; b, c\td", 'say "no"')
    now = file.read_text(encoding="utf-8-sig").replace('""', '"')
    assert all(line in now for line in text.splitlines())
    again = {style.name: (style.prompt, style.negative_prompt) for style in StyleBook([file]).list()}
    assert again == {**known, "new": ("a; b, c\td", 'say "no"')}
    (copy,) = tmp_path.glob("styles.csv.original-*")
    assert copy.read_text(encoding="utf-8") == text
    book.save("newer", "x", "")
    assert len(list(tmp_path.glob("styles.csv.original-*"))) == 1


def test_changing_a_style_keeps_the_further_columns_of_its_row(tmp_path: Path) -> None:
    book, file = book_of(tmp_path, b"name,tags,prompt,negative_prompt\na,red,x,y\nb,blue,z,\n")
    book.save("a", "changed", "y")
    assert file.read_text(encoding="utf-8-sig") == (
        "name,tags,prompt,negative_prompt\na,red,changed,y\nb,blue,z,\n"
    )
    book.delete("b")
    assert file.read_text(encoding="utf-8-sig").splitlines()[1:] == ["a,red,changed,y"]


def test_what_somebody_wrote_into_the_file_meanwhile_stays(tmp_path: Path) -> None:
    book, file = book_of(tmp_path, b"name,prompt,negative_prompt\r\na,1,\r\n")
    file.write_bytes(file.read_bytes() + b"b,2,\r\n")
    book.save("c", "3", "")
    assert [style.name for style in book.list()] == ["a", "b", "c"]


def test_one_byte_that_is_no_utf_8_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        book, file = book_of(tmp_path, b"name,prompt,negative_prompt\ncaf\xe9,\xe2\x80\x9cx\xe2\x80\x9d,\n")
    assert [(style.name, style.prompt) for style in book.list()] == [("caf\xe9", "\u201cx\u201d")]
    assert "no UTF-8" in caplog.text
    book.save("new", "y", "")
    assert b"caf\xe9,\xe2\x80\x9cx" in file.read_bytes()
    assert "caf\xe9" in [style.name for style in StyleBook([file]).list()]


@pytest.mark.parametrize("length", [140_000, 1_000_000])
def test_a_long_style_is_read_back(tmp_path: Path, length: int) -> None:
    file = tmp_path / "styles.csv"
    StyleBook([file]).save("long", "x" * length, "")
    assert len(StyleBook([file]).list()[0].prompt) == length


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    book, file = book_of(tmp_path, b"name,prompt,negative_prompt\r\na,1,\r\n")
    before = file.read_bytes()
    with pytest.raises(InvalidRequest, match="characters long"):
        book.save("huge", "x" * 5_000_000, "")
    with pytest.raises(InvalidRequest, match="character that is none"):
        book.save("half", "\ud83d", "")
    assert file.read_bytes() == before


def _folder(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40_000_000)


@pytest.mark.parametrize("put", [_folder, _huge])
def test_what_is_no_file_of_styles_is_said_and_left_alone(
    tmp_path: Path, put: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "styles.csv"
    put(file)
    with caplog.at_level(logging.WARNING):
        book = StyleBook([file])
    assert book.list() == ()
    assert str(file) in book.notes[0]
    assert book.notes[0] in caplog.text
    before = file.stat()
    with pytest.raises(EaselError, match="was not saved"):
        book.save("new", "a", "b")
    assert file.stat()[:7] == before[:7]


def test_notes_name_the_lines(tmp_path: Path) -> None:
    book, _ = book_of(tmp_path, b'name,prompt,negative_prompt\na,b, c, d,e\n,x,\n"open,1,2\nz,1,2\n')
    text = " ".join(book.notes)
    assert "More fields than columns (a text with the delimiter in it needs quotation marks): line 2" in text
    assert "without a name: line 3" in text
    assert "never closed: line 4" in text
    assert [style.name for style in book.list()] == ["a", "z"]


@given(st.binary(max_size=200) | st.text('";,\t\n\r#a{}\0\ufeffé', max_size=60).map(str.encode))
def test_any_file_is_read_and_keeps_its_styles_when_one_is_added(data: bytes) -> None:
    table = read_table(data)
    before = list(table.styles())
    again = read_table(table.changed("new", "of me", "").encoded())
    assert [each for each in again.styles() if each["name"] != "new"] == [
        each for each in before if each["name"] != "new"
    ]
    assert {"name": "new", "prompt": "of me", "negative_prompt": ""} in list(again.styles())


def test_an_empty_file_and_our_own_are_not_foreign() -> None:
    assert read_table(b"").is_own
    assert read_table(StyleTable().changed("a", "b, c", "d\ne").encoded()).is_own
    assert not read_table(b"name;prompt\na;b\n").is_own
