"""The book of styles: `styles.csv` and its like, with the columns name, prompt and negative_prompt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.prompts.style_file import LARGEST_FILE, StyleFile
from modules.prompts.style_table import StyleTable
from modules.prompts.style_texts import (
    ExtractedStyles,
    PromptStyle,
    apply_style_texts,
    drawn_prompt,
    extract_styles,
)

__all__ = ["ExtractedStyles", "PromptStyle", "StyleBook"]

log = logging.getLogger(__name__)


class StyleBook:
    """All styles of one or several files; of two styles of one name the later file's counts.

    files: paths whose last part may hold `*`. New styles go to the first file without one. Every change is
    written at once, and atomically: a crash leaves the old file or the new one. What is not understood of a
    file is said in `notes` and stays in the file.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._patterns = tuple(files)
        self._files: dict[Path, StyleFile] = {}
        self._styles: dict[str, PromptStyle] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}
        self.notes: tuple[str, ...] = ()
        self.reload()

    def list(self) -> tuple[PromptStyle, ...]:
        """The styles in the order of the files."""
        self._follow_files()
        return tuple(self._styles.values())

    def reload(self) -> None:
        """Read the files anew. Missing files hold no styles; one that cannot be read is said in the log."""
        paths = self._existing_files()
        self._stamps = _stamps(paths)
        self._files = {path: self._files.get(path) or StyleFile(path) for path in paths}
        tables = {path: file.read() for path, file in self._files.items()}
        found = (
            PromptStyle(cells["name"], cells["prompt"], cells["negative_prompt"], path)
            for path, table in tables.items()
            for cells in table.styles()
        )
        self._styles = {style.name: style for style in found}
        notes = tuple(f"{path}: {note}" for path, table in tables.items() for note in table.notes)
        for note in notes:
            if note not in self.notes:
                log.warning("%s", note)
        self.notes = notes

    def find(self, name: str) -> PromptStyle:
        """The style of this name; raises `NotFound`."""
        self._follow_files()
        if name not in self._styles:
            raise NotFound(f"There is no style named {name!r}. Reload the styles, or choose one of the list.")
        return self._styles[name]

    def apply(
        self, prompt: str, negative_prompt: str, names: Iterable[str], *, has_comments: bool = True
    ) -> tuple[str, str]:
        """Both prompts with the named styles applied in order, to be edited on: comments stay.

        Names that are unknown change nothing.
        """
        chosen = self._chosen(names)
        return (
            apply_style_texts(prompt, [style.prompt for style in chosen], has_comments=has_comments),
            apply_style_texts(
                negative_prompt, [style.negative_prompt for style in chosen], has_comments=has_comments
            ),
        )

    def drawn(
        self, prompt: str, negative_prompt: str, names: Iterable[str], *, has_comments: bool
    ) -> tuple[str, str]:
        """Both prompts with the named styles as they are drawn; names that are unknown change nothing."""
        chosen = self._chosen(names)
        return (
            drawn_prompt(prompt, [style.prompt for style in chosen], has_comments=has_comments),
            drawn_prompt(
                negative_prompt, [style.negative_prompt for style in chosen], has_comments=has_comments
            ),
        )

    def _chosen(self, names: Iterable[str]) -> tuple[PromptStyle, ...]:
        self._follow_files()
        return tuple(self._styles[name] for name in names if name in self._styles)

    def _follow_files(self) -> None:
        """Read the files anew if somebody has changed one since."""
        if _stamps(self._existing_files()) != self._stamps:
            self.reload()

    def extract(
        self,
        prompt: str,
        negative_prompt: str,
        *,
        has_comments: bool = False,
        names: Iterable[str] | None = None,
    ) -> ExtractedStyles:
        """Take known styles, or only those of `names`, out of the prompts of a text read back."""
        styles = self.list() if names is None else self._chosen(names)
        return extract_styles(prompt, negative_prompt, styles, has_comments=has_comments)

    def save(self, name: str, prompt: str, negative_prompt: str) -> PromptStyle:
        """Add a style, or replace the one of this name in the file that it is in."""
        if not name.strip():
            raise InvalidRequest("name", "A style needs a name. Type one and save again.")
        for field, text in (("name", name), ("prompt", prompt), ("negative_prompt", negative_prompt)):
            _refuse_what_no_file_holds(field, text)
        old = self._styles.get(name)
        path = old.file if old and old.file else self._file_for_new()
        self._change(path, lambda table: table.changed(name, prompt, negative_prompt))
        return PromptStyle(name, prompt, negative_prompt, path)

    def delete(self, name: str) -> None:
        """Remove a style from its file; raises `NotFound`."""
        path = self.find(name).file
        if path is not None:
            self._change(path, lambda table: table.without(name))

    def _existing_files(self) -> tuple[Path, ...]:
        patterns = ((path.parent, path.name) for path in self._patterns)
        return tuple(
            path
            for folder, name in patterns
            for path in (sorted(folder.glob(name)) if "*" in name else [folder / name])
            if _is_there(path)
        )

    def _file_for_new(self) -> Path:
        plain = [path for path in self._patterns if "*" not in path.name]
        if plain:
            return plain[0]
        if self._patterns:
            return self._patterns[0].with_name("styles.csv")
        raise EaselError("No styles file is set. Start with --styles-file and the path of a .csv file.")

    def _change(self, path: Path, change: Callable[[StyleTable], StyleTable]) -> None:
        """Change a file as it is now, then read all anew: a failed write leaves the book as it was."""
        file = self._files.get(path) or StyleFile(path)
        file.change(change)
        self.reload()


def _refuse_what_no_file_holds(field: str, text: str) -> None:
    if len(text) > LARGEST_FILE // 4:
        raise InvalidRequest(
            field,
            f"The {field} of the style is {len(text)} characters long; {LARGEST_FILE // 4} is the most.",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            field, f"The {field} of the style holds a character that is none: {error.reason}. Type it anew."
        ) from error


def _is_there(path: Path) -> bool:
    """Whether something is at `path`, be it no file or not to be read: that is said then."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _stamps(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of each file that is there."""
    found = {}
    for path in paths:
        with suppress(OSError):
            facts = path.stat()
            found[path] = (facts.st_size, facts.st_mtime_ns)
    return found
