"""Styles: applied, taken out again, kept in files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.prompts import PromptStyle, StyleBook
from modules.prompts.style_texts import apply_style_texts, drawn_prompt, extract_styles


@pytest.fixture
def book(tmp_path: Path) -> StyleBook:
    book = StyleBook([tmp_path / "styles.csv"])
    book.save("oil", "oil painting", "photo")
    book.save("frame", "a framed {prompt}, museum", "")
    book.save("clean", "", "noise, blur")
    return book


@pytest.mark.parametrize(
    ("prompt", "styles", "result"),
    [
        (" cat ", ["oil "], "cat, oil"),
        ("", ["oil"], "oil"),
        (" cat ", [""], "cat"),
        (" cat ", [], " cat "),
        (" cat ", ["a {prompt}!"], "a  cat !"),
        ("cat", ["a {prompt} or {prompt}", "oil"], "a cat or cat, oil"),
        ("cat", ["oil", "a {prompt}"], "a cat, oil"),
    ],
)
def test_styles_are_applied_in_order(prompt: str, styles: list[str], result: str) -> None:
    assert apply_style_texts(prompt, styles) == result


@pytest.mark.parametrize(
    ("prompt", "styles", "drawn"),
    [
        ("a man # goat", ["35mm"], "a man, 35mm"),
        ("a man # goat", ["{prompt}, best # c", "x # y"], "a man, best, x"),
        ("# goat\na man", ["photo of {prompt}"], "photo of a man"),
        ("a # b\nman", ["best # {prompt}"], "a \nman, best"),
        (" cat ", ["a {prompt}!"], "a  cat !"),
        ("a # x", [], "a \n"),
        ("# x", ["oil"], "oil"),
    ],
)
def test_comments_are_taken_out_of_the_prompt_and_of_each_style_by_itself(
    prompt: str, styles: list[str], drawn: str
) -> None:
    assert drawn_prompt(prompt, styles, has_comments=True) == drawn
    assert drawn_prompt(prompt, styles, has_comments=False) == apply_style_texts(prompt, styles)


@pytest.mark.parametrize("style", ["35mm", "{prompt}, 35mm"])
def test_a_style_that_is_put_into_a_prompt_is_not_swallowed_by_its_comment(style: str) -> None:
    edited = apply_style_texts("a man # goat", [style], has_comments=True)
    assert "# goat" in edited
    assert drawn_prompt(edited, [], has_comments=True).split() == ["a", "man", ",", "35mm"]


def test_a_style_with_a_comment_is_found_in_what_was_drawn_with_it() -> None:
    style = PromptStyle("lens", "35mm # mine", "blurry # too")
    drawn = [
        drawn_prompt(text, [own], has_comments=True)
        for text, own in (("cat", style.prompt), ("dog", style.negative_prompt))
    ]
    found = extract_styles(*drawn, [style], has_comments=True)
    assert (found.prompt, found.negative_prompt, found.names) == ("cat", "dog", ("lens",))


def test_unknown_names_change_nothing(book: StyleBook) -> None:
    assert book.apply("cat", "dog", ["nothing", "oil"]) == ("cat, oil painting", "dog, photo")


def test_styles_are_taken_out_of_a_text_in_the_order_of_their_use(book: StyleBook) -> None:
    prompt, negative = book.apply("cat", "dog", ["oil", "frame", "clean"])
    extracted = book.extract(prompt, negative)
    assert (extracted.prompt, extracted.negative_prompt) == ("cat", "dog")
    assert set(extracted.names) == {"oil", "frame", "clean"}
    assert book.apply("cat", "dog", extracted.names) == (prompt, negative)


def test_a_style_is_taken_out_only_if_both_its_texts_are_there(book: StyleBook) -> None:
    extracted = book.extract("cat, oil painting", "dog")
    assert (extracted.prompt, extracted.names) == ("cat, oil painting", ())


def test_a_frame_longer_than_the_text_does_not_match() -> None:
    assert extract_styles("aba", "", [PromptStyle("x", "ab{prompt}ba")]).names == ()


@pytest.mark.parametrize(
    ("prompt", "style", "rest"),
    [
        ("a wildcat", "cat", None),
        ("a black cat", "cat", None),
        ("a dog, cat", "cat", "a dog"),
        ("a dog,cat", "cat", "a dog,"),
        ("cat", "cat", ""),
        ("catalog", "cat{prompt}", None),
        ("cat, sleeping", "cat{prompt}", ", sleeping"),
        ("a wildcat", "{prompt}cat", None),
        ("oil, a dog", "oil, {prompt}", "a dog"),
        ("a dog", "{prompt}", None),
    ],
)
def test_a_style_is_found_as_a_part_of_its_own_alone(prompt: str, style: str, rest: str | None) -> None:
    extracted = extract_styles(prompt, "", [PromptStyle("s", style)])
    assert (extracted.prompt, extracted.names) == ((prompt, ()) if rest is None else (rest, ("s",)))


texts = st.text(st.characters(exclude_characters="{}, "), min_size=1)


@given(texts, texts, texts)
def test_what_one_style_adds_is_taken_out_again(prompt: str, left: str, right: str) -> None:
    prompt, left, right = (text.strip() or "x" for text in (prompt, left, right))
    for style in (PromptStyle("s", left), PromptStyle("s", f"{left} {{prompt}} {right}")):
        extracted = extract_styles(apply_style_texts(prompt, [style.prompt]), "", [style])
        assert (extracted.prompt, extracted.names) == (prompt, ("s",))


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(), st.text()), max_size=5, unique_by=lambda row: row[0])
)
def test_a_book_reads_back_what_it_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    file = tmp_path_factory.mktemp("styles") / "styles.csv"
    book = StyleBook([file])
    kept = [row for row in rows if row[0].strip() and "\0" not in "".join(row) and "\r" not in "".join(row)]
    for row in kept:
        book.save(*row)
    assert [(style.name, style.prompt, style.negative_prompt) for style in StyleBook([file]).list()] == kept


def test_files_are_written_as_the_field_has_them(book: StyleBook, tmp_path: Path) -> None:
    content = (tmp_path / "styles.csv").read_bytes()
    assert content.startswith("\ufeffname,prompt,negative_prompt\r\noil,oil painting,photo\r\n".encode())


def test_old_files_with_a_text_column_are_read(tmp_path: Path) -> None:
    file = tmp_path / "styles.csv"
    file.write_text("name,text\nold,in the old way\n", encoding="utf-8")
    assert StyleBook([file]).apply("cat", "", ["old"])[0] == "cat, in the old way"


def test_a_style_stays_in_the_file_it_came_from(tmp_path: Path) -> None:
    for name in ("one", "two"):
        StyleBook([tmp_path / f"{name}.csv"]).save(name, f"style {name}", "")
    book = StyleBook([tmp_path / "*.csv"])
    book.save("two", "changed", "")
    assert "changed" in (tmp_path / "two.csv").read_text(encoding="utf-8")
    book.delete("one")
    assert "style one" not in (tmp_path / "one.csv").read_text(encoding="utf-8")
    assert [style.name for style in StyleBook([tmp_path / "*.csv"]).list()] == ["two"]


def test_a_style_without_a_name_and_an_unknown_style_are_refused(book: StyleBook) -> None:
    with pytest.raises(InvalidRequest, match="needs a name"):
        book.save("  ", "a", "b")
    with pytest.raises(NotFound, match="'nothing'"):
        book.delete("nothing")


def test_a_full_disk_leaves_file_and_book_as_they_were(
    book: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (tmp_path / "styles.csv").read_bytes()

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(EaselError, match="No space left"):
        book.save("new", "a", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["styles.csv"]
    assert (tmp_path / "styles.csv").read_bytes() == before
    assert "new" not in [style.name for style in book.list()]


def test_a_style_that_somebody_wrote_into_the_file_is_there_at_once(tmp_path):
    book = StyleBook([tmp_path / "styles.csv"])
    assert book.list() == ()
    (tmp_path / "styles.csv").write_text("name,prompt,negative_prompt\nreal,35mm,\n")
    assert book.find("real").prompt == "35mm"
    (tmp_path / "styles.csv").unlink()
    assert book.list() == ()
