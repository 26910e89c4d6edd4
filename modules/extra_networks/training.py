"""What a training program wrote about how a LoRA was made: its tags, its pictures, its base.

The keys (`ss_...`) are those of kohya-ss's sd-scripts; whatever has another form than theirs is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modules.foreign_json import JsonBounds, JsonNotRead, parse_json

__all__ = ["TagCount", "TrainingFacts", "read_training"]

MOST_TAGS = 500
TABLE_BOUNDS = JsonBounds(bytes=16 << 20, nodes=1_000_000)
"""Trainers list every tag of their pictures."""
MOST_SIZES = 4
WORDY = 16
"""Mean characters of a tag from which the captions are sentences, and are counted by their words."""
WORD = re.compile(r"[-_\w']{3,}")

PLAIN = (
    ("ss_output_name", "Output name"),
    ("ss_sd_model_name", "Trained on"),
    ("ss_clip_skip", "Clip skip"),
    ("ss_network_module", "Network module"),
    ("ss_network_dim", "Rank"),
    ("ss_network_alpha", "Alpha"),
    ("ss_num_epochs", "Epochs"),
    ("ss_steps", "Steps"),
    ("modelspec.title", "Title"),
    ("modelspec.author", "Author"),
    ("modelspec.license", "License"),
    ("modelspec.usage_hint", "Usage"),
)


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag of the training pictures, and on how many of them it was."""

    tag: str
    count: int


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """Rows of name and value to be shown, and the tags, most frequent first."""

    rows: tuple[tuple[str, str], ...]
    tags: tuple[TagCount, ...]


def read_training(metadata: Mapping[str, str]) -> TrainingFacts:
    """The facts in a network's metadata."""
    rows = [(label, metadata[key]) for key, label in PLAIN if metadata.get(key, "None") not in ("None", "")]
    computed = (
        ("Trained", _moment(metadata.get("ss_training_started_at", ""))),
        ("Resolutions", _sizes(_table(metadata, "ss_bucket_info"))),
        ("Training pictures", _pictures(_table(metadata, "ss_dataset_dirs"))),
    )
    return TrainingFacts(
        (*rows, *((label, value) for label, value in computed if value)),
        _tags(_table(metadata, "ss_tag_frequency")),
    )


def _table(metadata: Mapping[str, str], key: str) -> Mapping[str, Any]:
    try:
        table = parse_json(metadata.get(key, ""), key, TABLE_BOUNDS)
    except JsonNotRead:
        return {}
    return table if isinstance(table, dict) else {}


def _count(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _tables_of(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in table.values() if isinstance(each, dict)]


def _moment(seconds: str) -> str:
    try:
        return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""


def _sizes(info: Mapping[str, Any]) -> str:
    """The sizes of the training pictures, most frequent first. The file has them as height, width."""
    buckets = info.get("buckets")
    counts: Counter[str] = Counter()
    for bucket in _tables_of(buckets) if isinstance(buckets, dict) else []:
        size = bucket.get("resolution")
        if isinstance(size, list) and len(size) == 2:
            counts[f"{_count(size[1])}x{_count(size[0])}"] += _count(bucket.get("count"))
    names = [name for name, _ in counts.most_common(MOST_SIZES)]
    return ", ".join([*names, *(["..."] if len(counts) > MOST_SIZES else [])])


def _pictures(folders: Mapping[str, Any]) -> str:
    count = sum(_count(folder.get("img_count")) for folder in _tables_of(folders))
    return str(count) if count else ""


def _tags(frequencies: Mapping[str, Any]) -> tuple[TagCount, ...]:
    tags: Counter[str] = Counter()
    for folder in _tables_of(frequencies):
        for tag, count in folder.items():
            tags[tag.strip()] += _count(count)
    del tags[""]
    if tags and sum(map(len, tags)) / len(tags) >= WORDY:
        words: Counter[str] = Counter()
        for sentence, count in tags.items():
            for word in WORD.findall(sentence):
                words[word] += count
        tags = words
    return tuple(TagCount(tag, count) for tag, count in tags.most_common(MOST_TAGS))
