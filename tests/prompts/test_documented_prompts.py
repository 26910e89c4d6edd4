"""The examples of docs/prompts.md."""

import re
from pathlib import Path

import pytest

from modules.prompts import parse_emphasis, schedule_prompt, split_and

PAGE = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[tuple[str, str]]:
    """The rows of the table under a heading: what is written, and what it means."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(.+)` \| (.+) \|$", section, flags=re.MULTILINE)
    assert found
    return found


@pytest.mark.parametrize(("written", "meaning"), rows("Emphasis"))
def test_emphasis_reads_as_documented(written: str, meaning: str) -> None:
    assert ", ".join(f"`{piece.text}` {piece.weight:.3g}" for piece in parse_emphasis(written)) == meaning


@pytest.mark.parametrize(("written", "meaning"), rows("Prompt editing and alternation"))
def test_editing_reads_as_documented(written: str, meaning: str) -> None:
    entries = schedule_prompt(written, 20)
    assert ", ".join(f"up to {entry.end_at_step} `{entry.text}`" for entry in entries) == meaning


@pytest.mark.parametrize(("written", "meaning"), rows("Several prompts at once"))
def test_parts_read_as_documented(written: str, meaning: str) -> None:
    assert ", ".join(f"`{part.text}` {part.weight:g}" for part in split_and(written)) == meaning
