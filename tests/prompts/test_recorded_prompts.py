"""The prompt reader against every recorded prompt."""

import json
from pathlib import Path
from typing import Any

import pytest

from modules.prompts import parse_emphasis, schedule_prompt, split_and, take_network_tags

REFERENCE = Path(__file__).parents[1] / "parity" / "reference" / "prompts.json"
RECORDED: list[dict[str, Any]] = json.loads(REFERENCE.read_text(encoding="utf-8"))

each_prompt = pytest.mark.parametrize(
    "recorded", RECORDED, ids=lambda recorded: repr(recorded["prompt"][:40])
)


@each_prompt
def test_emphasis_is_read_as_recorded(recorded: dict[str, Any]) -> None:
    pieces = [[piece.text, piece.weight] for piece in parse_emphasis(recorded["prompt"])]
    assert pieces == recorded["attention"]


@each_prompt
@pytest.mark.parametrize(
    ("key", "steps"), [("schedule_8", (8,)), ("schedule_20", (20,)), ("schedule_hires_8_10", (8, 10))]
)
def test_schedules_are_read_as_recorded(recorded: dict[str, Any], key: str, steps: tuple[int, ...]) -> None:
    schedule = [[entry.end_at_step, entry.text] for entry in schedule_prompt(recorded["prompt"], *steps)]
    assert schedule == recorded[key]


@each_prompt
def test_parts_joined_by_and_are_read_as_recorded(recorded: dict[str, Any]) -> None:
    assert [[part.text, part.weight] for part in split_and(recorded["prompt"])] == recorded["and"]


@each_prompt
def test_network_tags_are_read_as_recorded(recorded: dict[str, Any]) -> None:
    text, tags = take_network_tags(recorded["prompt"])
    networks: dict[str, list[list[str]]] = {}
    for tag in tags:
        networks.setdefault(tag.kind, []).append(list(tag.items))
    assert {"text": text, "nets": networks} == recorded["extra_networks"]
