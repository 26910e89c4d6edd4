"""File name patterns: `[seed]-[prompt_words]` and its like, made into names.

A tag that is unknown stays as it was written. A tag without a value for this picture (the batch number of a
batch of one) is left out together with the text before it, so that no stray dashes remain.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from PIL import Image

from modules.filenames import EVERYWHERE, NameRules, safe_part

__all__ = ["PatternHelp", "PictureFacts", "describe_patterns", "fill_pattern"]

TAG = re.compile(r"\[([^\[\]]+)\]")
ARGUMENT = re.compile(r"<([^>]*)>")
NOT_IN_WORDS = re.compile(rf"[\s{re.escape(string.punctuation)}]+")
TIME_FORMAT = "%Y%m%d%H%M%S"
HASH_DIGITS = 8


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a name can tell of a picture. None: not known, or without meaning for this picture.

    batch_position: 0-based within the batch; picture_position: 0-based within the whole job.
    """

    seed: int | None = None
    first_seed: int | None = None
    last_seed: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    width: int | None = None
    height: int | None = None
    styles: tuple[str, ...] = ()
    sampler: str | None = None
    scheduler: str | None = None
    model_hash: str | None = None
    model_name: str | None = None
    vae_filename: str | None = None
    prompt: str | None = None
    prompt_without_styles: str | None = None
    negative_prompt: str | None = None
    batch_position: int = 0
    batch_size: int = 1
    picture_position: int = 0
    pictures: int = 1
    clip_skip: int | None = None
    denoising_strength: float | None = None
    user: str | None = None
    job_started: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now().astimezone())
    image: Image.Image | None = None
    most_prompt_words: int = 8
    names: NameRules = EVERYWHERE


class _NotPrintedError(Exception):
    """The tag has no value for this picture."""


Arguments = tuple[str, ...]
Writer = Callable[[PictureFacts, Arguments], str]


@dataclass(frozen=True, slots=True)
class PatternHelp:
    """A tag for the page and the documentation."""

    tag: str
    help: str


@dataclass(frozen=True, slots=True)
class _Tag:
    write: Writer
    help: str
    arguments: str = ""


def fill_pattern(pattern: str, facts: PictureFacts) -> str:
    """The pattern with every known tag replaced; values are made safe for file names, text between is not."""
    filled: list[str] = []
    position = 0
    for match in TAG.finditer(pattern):
        text, position = pattern[position : match.start()], match.end()
        name, *_ = match[1].split("<", 1)
        tag = TAGS.get(name.lower())
        try:
            filled += [text, tag.write(facts, tuple(ARGUMENT.findall(match[1]))) if tag else match[0]]
        except _NotPrintedError:
            continue
    return "".join(filled) + pattern[position:]


def describe_patterns() -> tuple[PatternHelp, ...]:
    """Every tag as it is written, with a sentence each, in the order of the documentation."""
    return tuple(PatternHelp(f"[{name}{tag.arguments}]", tag.help) for name, tag in TAGS.items())


def _part(facts: PictureFacts, text: str, replace_spaces: bool = False) -> str:
    """`text` as a part of the picture's name, by the rules of its names."""
    return safe_part(text, replace_spaces, facts.names)


def _value(name: str) -> Writer:
    """A fact written as it is; nothing where it is not known."""

    def write(facts: PictureFacts, _arguments: Arguments) -> str:
        value = getattr(facts, name)
        return "" if value is None else _part(facts, str(value))

    return write


def _text(name: str, replace_spaces: bool = False) -> Writer:
    def write(facts: PictureFacts, _arguments: Arguments) -> str:
        return _part(facts, getattr(facts, name) or "", replace_spaces)

    return write


def _styles(facts: PictureFacts, _arguments: Arguments) -> str:
    return _part(facts, ", ".join(facts.styles) or "None")


def _prompt_words(facts: PictureFacts, _arguments: Arguments) -> str:
    words = [word for word in NOT_IN_WORDS.split(facts.prompt or "") if word] or ["empty"]
    return _part(facts, " ".join(words[: facts.most_prompt_words]))


def _has_prompt(facts: PictureFacts, arguments: Arguments) -> str:
    prompt = (facts.prompt or "").lower()
    found: list[str] = []
    for argument in arguments:
        word, _, otherwise = argument.partition("|")
        found.append(word.lower() if word.lower() in prompt else otherwise)
    return _part(facts, "".join(found), replace_spaces=True)


def _hash(texts: Callable[[PictureFacts], Iterable[str | None]]) -> Writer:
    def write(facts: PictureFacts, arguments: Arguments) -> str:
        digest = hashlib.sha256(" ".join(text or "" for text in texts(facts)).encode(errors="replace"))
        return _digits(digest.hexdigest(), arguments, HASH_DIGITS)

    return write


def _image_hash(facts: PictureFacts, arguments: Arguments) -> str:
    if facts.image is None:
        return ""
    return _digits(hashlib.sha256(facts.image.tobytes()).hexdigest(), arguments, None)


def _digits(digest: str, arguments: Arguments, default: int | None) -> str:
    asked = arguments[0] if arguments else ""
    return digest[: int(asked) if asked.isdecimal() else default]


def _date(facts: PictureFacts, _arguments: Arguments) -> str:
    return facts.now.strftime("%Y-%m-%d")


def _datetime(facts: PictureFacts, arguments: Arguments) -> str:
    time_format = arguments[0] if arguments and arguments[0] else TIME_FORMAT
    moment = facts.now.astimezone(_time_zone(arguments[1])) if len(arguments) > 1 else facts.now
    try:
        written = moment.strftime(time_format)
    except (ValueError, UnicodeError):
        written = moment.strftime(TIME_FORMAT)
    return _part(facts, written)


def _time_zone(name: str) -> tzinfo | None:
    """The zone of this name; None, the local one, for a name that is not known here."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _job_timestamp(facts: PictureFacts, _arguments: Arguments) -> str:
    return (facts.job_started or facts.now).strftime(TIME_FORMAT)


def _batch_number(facts: PictureFacts, _arguments: Arguments) -> str:
    if facts.batch_size <= 1:
        raise _NotPrintedError
    return str(facts.batch_position + 1)


def _generation_number(facts: PictureFacts, _arguments: Arguments) -> str:
    if facts.pictures <= 1:
        raise _NotPrintedError
    return str(facts.picture_position + 1)


def _denoising(facts: PictureFacts, _arguments: Arguments) -> str:
    if facts.denoising_strength is None:
        raise _NotPrintedError
    return str(facts.denoising_strength)


TAGS: Mapping[str, _Tag] = MappingProxyType(
    {
        "seed": _Tag(_value("seed"), "The picture's seed."),
        "seed_first": _Tag(_value("first_seed"), "The seed of the job's first picture."),
        "seed_last": _Tag(_value("last_seed"), "The seed of the job's last picture."),
        "steps": _Tag(_value("steps"), "Sampling steps."),
        "cfg": _Tag(_value("cfg_scale"), "CFG scale."),
        "width": _Tag(_value("width"), "Width in pixels."),
        "height": _Tag(_value("height"), "Height in pixels."),
        "sampler": _Tag(_value("sampler"), "The sampler's name."),
        "scheduler": _Tag(_value("scheduler"), "The schedule's name."),
        "denoising": _Tag(_denoising, "Denoising strength; left out where there is none."),
        "clip_skip": _Tag(_value("clip_skip"), "Clip skip."),
        "model_name": _Tag(_value("model_name"), "The checkpoint's name without extension."),
        "model_hash": _Tag(_value("model_hash"), "The checkpoint's hash, 10 digits."),
        "vae_filename": _Tag(_value("vae_filename"), "The name of the VAE's file without extension."),
        "styles": _Tag(_styles, 'Names of the styles, joined by ", "; None without any.'),
        "prompt": _Tag(_text("prompt", replace_spaces=True), "The prompt, with _ for spaces."),
        "prompt_spaces": _Tag(_text("prompt"), "The prompt."),
        "prompt_no_styles": _Tag(_text("prompt_without_styles"), "The prompt without the styles' texts."),
        "prompt_words": _Tag(
            _prompt_words, "The first words of the prompt (setting directories_max_prompt_words)."
        ),
        "hasprompt": _Tag(
            _has_prompt, "For each pair: the word if the prompt has it, else the other.", "<word|other>"
        ),
        "prompt_hash": _Tag(_hash(lambda facts: [facts.prompt]), "Hash of the prompt, 8 or N digits.", "<N>"),
        "negative_prompt_hash": _Tag(
            _hash(lambda facts: [facts.negative_prompt]), "Hash of the negative prompt, 8 or N digits.", "<N>"
        ),
        "full_prompt_hash": _Tag(
            _hash(lambda facts: [facts.prompt, facts.negative_prompt]),
            "Hash of both prompts, 8 or N digits.",
            "<N>",
        ),
        "image_hash": _Tag(_image_hash, "Hash of the picture's pixels, 64 or N digits.", "<N>"),
        "date": _Tag(_date, "The day, as 2024-12-31."),
        "datetime": _Tag(
            _datetime, "The time, in a format of strftime and a time zone.", "<Format><Time Zone>"
        ),
        "job_timestamp": _Tag(_job_timestamp, "When the job began, as 20241231235959."),
        "batch_number": _Tag(_batch_number, "The picture's number in its batch; left out in batches of one."),
        "batch_size": _Tag(_value("batch_size"), "Pictures in a batch."),
        "generation_number": _Tag(
            _generation_number, "The picture's number in the job; left out for a single one."
        ),
        "user": _Tag(_value("user"), "The name of the user who is logged in."),
        "none": _Tag(lambda _facts, _arguments: "", "Nothing: names are then the number alone."),
    }
)
