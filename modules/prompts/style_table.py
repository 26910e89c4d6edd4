"""A styles file as a table that can be changed without losing what is not understood of it.

Other programs and people write these files: with other delimiters, other or no column names, comments,
further columns. Each record keeps the text that it was read from, and that is what is written again unless
the record itself was changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from modules.foreign_text import decode_foreign, without_escapes

__all__ = ["COLUMNS", "StyleRecord", "StyleTable", "read_table"]

COLUMNS: Final[tuple[str, ...]] = ("name", "prompt", "negative_prompt")
DELIMITERS = ",;\t"
HEADER_WITHIN = 10
"""Lines in which the names of the columns are looked for."""
ALIASES = {
    # Files of the first programs of the kind have the prompt in a column "text" and no negative prompt.
    "text": "prompt",
    "positive": "prompt",
    "positive_prompt": "prompt",
    "negative": "negative_prompt",
    "style": "name",
    "title": "name",
}
HINT = re.compile("(?i)sep=([,;\t])")
LONGEST_FIELD = 2**31 - 1
LINE_END = "\r\n"
# A byte order mark is what spreadsheet programs need to read the file as UTF-8.
MARK = "\ufeff".encode()
MOST_UNCLOSED = 100
MOST_LINES_SAID = 5


@dataclass(frozen=True, slots=True)
class StyleRecord:
    """One record of the file: its `text` as it stands there, its `fields`, the line that it begins at."""

    text: str
    fields: tuple[str, ...]
    line: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class StyleTable:
    """The records of a styles file, which columns they have, and what was not understood (`notes`).

    columns: our name of each column, "" for a further one. before: the text up to the first record.
    is_own: whether the file is as this program writes it.
    """

    records: tuple[StyleRecord, ...] = ()
    columns: tuple[str, ...] = COLUMNS
    delimiter: str = ","
    before: str = ",".join(COLUMNS) + LINE_END
    is_own: bool = True
    notes: tuple[str, ...] = ()

    def cells(self, record: StyleRecord) -> dict[str, str]:
        """The record's name, prompt and negative prompt, as they are to be used."""
        found = dict.fromkeys(COLUMNS, "")
        for column, cell in zip(self.columns, record.fields, strict=False):
            if column and cell:
                found[column] = without_escapes(cell)
        return found

    def styles(self) -> Iterator[dict[str, str]]:
        """The cells of the records that are styles; comments and records without a name are none."""
        return (cells for _, cells in self._styles())

    def _styles(self) -> Iterator[tuple[StyleRecord, dict[str, str]]]:
        for record in self.records:
            cells = self.cells(record)
            if record.whole and _is_style(cells):
                yield record, cells

    def changed(self, name: str, prompt: str, negative_prompt: str) -> StyleTable:
        """The table with this style: in the place of the last one of its name, else at the end."""
        cells = {"name": name, "prompt": prompt, "negative_prompt": negative_prompt}
        old = [record for record, found in self._styles() if found["name"] == name]
        records = list(self.records)
        if old:
            place = max(index for index, record in enumerate(records) if record is old[-1])
            records[place] = self._record(cells, records[place].fields)
        else:
            records.append(self._record(cells, ()))
        return replace(self, records=tuple(records))

    def without(self, name: str) -> StyleTable:
        """The table without the styles of this name."""
        gone = {id(record) for record, cells in self._styles() if cells["name"] == name}
        return replace(self, records=tuple(each for each in self.records if id(each) not in gone))

    def encoded(self) -> bytes:
        """The bytes of the file."""
        texts = [self.before, *(self._written(record) for record in self.records)]
        joined = "".join(text if not text or text[-1] in "\r\n" else text + LINE_END for text in texts)
        return MARK + joined.encode("utf-8", "surrogateescape")

    def _written(self, record: StyleRecord) -> str:
        # An open quotation mark would swallow what comes behind it: that line becomes a comment.
        return record.text if record.whole else self._line([f"# {record.text.rstrip(LINE_END)}"])

    def _record(self, cells: dict[str, str], old: Sequence[str]) -> StyleRecord:
        fields = list(old) + [""] * (len(self.columns) - len(old))
        for column, cell in cells.items():
            fields[self.columns.index(column)] = cell
        return StyleRecord(self._line(fields), tuple(fields), 0)

    def _line(self, fields: Sequence[str]) -> str:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self.delimiter, lineterminator=LINE_END).writerow(fields)
        return out.getvalue()


def read_table(data: bytes) -> StyleTable:
    """The table of a styles file. Never fails: what is not understood is said in `notes`, and kept."""
    foreign = decode_foreign(data)
    text = foreign.text
    if not text.strip("\r\n\t \0"):
        return StyleTable(is_own=not data)
    header = _find_header(text)
    if header:
        before, delimiter, columns = header
    else:
        before, columns = _lines_before(text), COLUMNS
        delimiter = _guess_delimiter(text, before)
    records = tuple(_records(text[len(before) :], delimiter, 1 + _line_ends(before)))
    has_all = all(each in columns for each in COLUMNS)
    if not has_all:
        before, columns = _with_all_columns(before, columns, delimiter, bool(header))
    table = StyleTable(records, columns, delimiter, before)
    notes = [*_encoding_notes(foreign.encoding, foreign.has_bad_bytes), *_notes(table, bool(header))]
    is_plain = not notes and foreign.encoding == "utf-8" and delimiter == "," and has_all
    return replace(table, is_own=is_plain and before.strip() == ",".join(COLUMNS), notes=tuple(notes))


def _find_header(text: str) -> tuple[str, str, tuple[str, ...]] | None:
    """The text up to and with the names of the columns, the delimiter, and the columns; None without any."""
    before, hinted = "", ""
    for line in _lines(text, HEADER_WITHIN):
        before += line
        hinted = hinted or _hint(line)
        for delimiter in dict.fromkeys(hinted + DELIMITERS):
            columns = _columns_of(line, delimiter)
            if "name" in columns and (len(columns) == 1 or set(columns) & set(COLUMNS[1:])):
                return before, delimiter, columns
    return None


def _hint(line: str) -> str:
    """The delimiter that a line such as `sep=;` names, as spreadsheet programs write it; else nothing."""
    match = HINT.fullmatch(line.strip("\r\n"))
    return match[1] if match else ""


def _columns_of(line: str, delimiter: str) -> tuple[str, ...]:
    """Our name of each column that the line names; "" for one that is not ours, or is named again."""
    cells: list[str] = next(_reader([line], delimiter), [])
    names = [cell.strip().strip("\ufeff").lower().replace(" ", "_").replace("-", "_") for cell in cells]
    known = [name if name in COLUMNS else ALIASES.get(name, "") for name in names]
    # A column of the very name comes before one that only means the same.
    taken = {
        name: names.index(name) if name in names else known.index(name) for name in COLUMNS if name in known
    }
    return tuple(name if taken.get(name) == index else "" for index, name in enumerate(known))


def _with_all_columns(
    before: str, columns: tuple[str, ...], delimiter: str, has_header: bool
) -> tuple[str, tuple[str, ...]]:
    """The header and the columns with those that are missing put at the end."""
    missing = tuple(each for each in COLUMNS if each not in columns)
    if has_header:
        head = before.rstrip("\r\n")
        before = head + "".join(delimiter + each for each in missing) + (before[len(head) :] or LINE_END)
    return before, columns + missing


def _lines_before(text: str) -> str:
    """Blank lines, comments and a hint at the delimiter at the start of a file without names of columns."""
    before = ""
    for line in _lines(text, HEADER_WITHIN):
        if line.strip() and not line.startswith(("#", "//")) and not _hint(line):
            break
        before += line
    return before


def _guess_delimiter(text: str, before: str) -> str:
    """Without names: the one that is hinted at, else that with which most records have a name and one or two
    prompts.
    """
    hints = [hint for line in _lines(before) if (hint := _hint(line))]

    def fit(delimiter: str) -> tuple[int, int]:
        sizes = [len(record.fields) for record in _records(text[len(before) :], delimiter, 1)]
        return sizes.count(len(COLUMNS)), sum(size > 1 for size in sizes)

    return hints[0] if hints else max(DELIMITERS, key=fit)


def _is_style(cells: dict[str, str]) -> bool:
    is_comment = cells["name"].startswith("#") and not cells["prompt"] and not cells["negative_prompt"]
    return bool(cells["name"].strip()) and not is_comment


def _lines(text: str, most: int | None = None) -> Iterator[str]:
    """Lines with their ends, as CSV knows them: not parted at other characters of Unicode."""
    for number, line in enumerate(io.StringIO(text, newline="")):
        if number == most:
            return
        yield line


def _line_ends(text: str) -> int:
    return sum(1 for _ in _lines(text))


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    # The limit is the module's own and for all its readers; raised, it harms none.
    csv.field_size_limit(LONGEST_FIELD)
    return csv.reader(lines, delimiter=delimiter)


def _records(text: str, delimiter: str, first_line: int) -> Iterator[StyleRecord]:
    """The records. A quotation mark that is never closed costs its own line, not all that follow it."""
    lines = list(_lines(text))
    start = 0
    for _ in range(MOST_UNCLOSED):
        unclosed = yield from _records_from(lines, start, delimiter, first_line)
        if unclosed is None:
            return
        yield StyleRecord(lines[unclosed], (lines[unclosed],), first_line + unclosed, whole=False)
        start = unclosed + 1
    if start < len(lines):
        yield StyleRecord("".join(lines[start:]), (), first_line + start, whole=False)


def _records_from(
    lines: Sequence[str], start: int, delimiter: str, first_line: int
) -> Generator[StyleRecord, None, int | None]:
    """The records from line `start` on; returns the line of a quotation mark that is never closed, if any."""
    reader = _reader(islice(lines, start, None), delimiter)
    at = start
    for fields in reader:
        end = start + reader.line_num
        if end == len(lines) and _is_open(lines[at:end], delimiter):
            return at
        yield StyleRecord("".join(lines[at:end]), tuple(fields), first_line + at)
        at = end
    return None


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the last record would go on into a further line."""
    *rest, last = lines
    ended = last if last.endswith(("\r", "\n")) else last + "\n"
    return sum(1 for _ in _reader([*rest, ended, "end"], delimiter)) == 1


def _encoding_notes(encoding: str, has_bad_bytes: bool) -> Iterator[str]:
    if encoding != "utf-8":
        yield f"It is in {encoding.upper()}; once a style is saved, it will be UTF-8."
    if has_bad_bytes:
        yield "Some of it is no UTF-8; that was read as the older encoding of this machine."


def _notes(table: StyleTable, has_header: bool) -> Iterator[str]:
    """What was not understood of the records, a few of each kind by their lines."""
    if not has_header and table.records:
        yield f"Its columns have no names; they were taken to be {', '.join(COLUMNS)}."
    kinds: dict[str, list[int]] = {}
    for record in table.records:
        if problem := _problem(table, record):
            kinds.setdefault(problem, []).append(record.line)
    for problem, at in kinds.items():
        more = f" and {len(at) - MOST_LINES_SAID} more" if len(at) > MOST_LINES_SAID else ""
        yield f"{problem}: line {', '.join(map(str, at[:MOST_LINES_SAID]))}{more}."


def _problem(table: StyleTable, record: StyleRecord) -> str:
    if not record.whole:
        return "A quotation mark that is never closed"
    cells = table.cells(record)
    if not cells["name"].strip() and (cells["prompt"].strip() or cells["negative_prompt"].strip()):
        return "A style without a name"
    if len(record.fields) > len(table.columns) and any(record.fields[len(table.columns) :]):
        return "More fields than columns (a text with the delimiter in it needs quotation marks)"
    return ""
