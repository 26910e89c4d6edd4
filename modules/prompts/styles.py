"""The book of styles: `styles.csv` and its like, with the columns name, prompt and negative_prompt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from modules.atomic import replace_file
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.prompts.style_texts import ExtractedStyles, PromptStyle, apply_style_texts, extract_styles

__all__ = ["ExtractedStyles", "PromptStyle", "StyleBook"]

COLUMNS = ("name", "prompt", "negative_prompt")
# A byte order mark is what spreadsheet programs need to read the file as UTF-8.
ENCODING = "utf-8-sig"


class StyleBook:
    """All styles of one or several files; of two styles of one name the later file's counts.

    files: paths whose last part may hold `*`. New styles go to the first file without one. Every change is
    written at once, and atomically: a crash leaves the old file or the new one.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._styles: dict[str, PromptStyle] = {}
        self.reload()

    def list(self) -> tuple[PromptStyle, ...]:
        """The styles in the order of the files."""
        return tuple(self._styles.values())

    def reload(self) -> None:
        """Read the files anew. Missing files hold no styles; raises `EaselError` for a broken one."""
        found = [style for path in self._existing_files() for style in _read_styles(path)]
        self._styles = {style.name: style for style in found}

    def find(self, name: str) -> PromptStyle:
        """The style of this name; raises `NotFound`."""
        if name not in self._styles:
            raise NotFound(f"There is no style named {name!r}. Reload the styles, or choose one of the list.")
        return self._styles[name]

    def apply(self, prompt: str, negative_prompt: str, names: Iterable[str]) -> tuple[str, str]:
        """Both prompts with the named styles applied in order; names that are unknown change nothing."""
        chosen = [self._styles[name] for name in names if name in self._styles]
        return (
            apply_style_texts(prompt, [style.prompt for style in chosen]),
            apply_style_texts(negative_prompt, [style.negative_prompt for style in chosen]),
        )

    def extract(self, prompt: str, negative_prompt: str) -> ExtractedStyles:
        """Take known styles out of the prompts of a text read back."""
        return extract_styles(prompt, negative_prompt, self.list())

    def save(self, name: str, prompt: str, negative_prompt: str) -> PromptStyle:
        """Add a style, or replace the one of this name in the file that it is in."""
        if not name.strip():
            raise InvalidRequest("name", "A style needs a name. Type one and save again.")
        old = self._styles.get(name)
        style = PromptStyle(name, prompt, negative_prompt, old.file if old else self._file_for_new())
        self._write({**self._styles, name: style}, style.file)
        return style

    def delete(self, name: str) -> None:
        """Remove a style from its file; raises `NotFound`."""
        file = self.find(name).file
        self._write({key: style for key, style in self._styles.items() if key != name}, file)

    def _existing_files(self) -> tuple[Path, ...]:
        patterns = ((path.parent, path.name) for path in self._files)
        return tuple(
            path
            for folder, name in patterns
            for path in (sorted(folder.glob(name)) if "*" in name else [folder / name])
            if path.is_file()
        )

    def _file_for_new(self) -> Path:
        plain = [path for path in self._files if "*" not in path.name]
        if plain:
            return plain[0]
        if self._files:
            return self._files[0].with_name("styles.csv")
        raise EaselError("No styles file is set. Start with --styles-file and the path of a .csv file.")

    def _write(self, styles: dict[str, PromptStyle], file: Path | None) -> None:
        """Write one file, then take the new styles over: a failed write leaves the book as it was."""
        if file is not None:
            _write_styles(file, [style for style in styles.values() if style.file == file])
        self._styles = styles


def _read_styles(path: Path) -> list[PromptStyle]:
    try:
        with path.open(encoding=ENCODING, newline="") as file:
            return [_style_of(row, path) for row in csv.DictReader(file) if row.get("name")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EaselError(
            f"The styles file {path} cannot be read: {error}. It has to be a UTF-8 text with the columns "
            f"{', '.join(COLUMNS)}; mend it, or move it away."
        ) from error


def _style_of(row: dict[str, str], path: Path) -> PromptStyle:
    # Files of the first programs of the kind have the prompt in a column "text" and no negative prompt.
    prompt = row.get("prompt") or row.get("text") or ""
    return PromptStyle(row["name"], prompt, row.get("negative_prompt") or "", path)


def _write_styles(path: Path, styles: Iterable[PromptStyle]) -> None:
    rows = [
        {"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative_prompt}
        for style in styles
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.getvalue().encode(ENCODING))
    except OSError as error:
        raise EaselError(
            f"The styles could not be saved to {path}: {error.strerror}. The file is as it was before."
        ) from error
