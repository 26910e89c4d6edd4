"""Understanding the command line: flags; after `generate` what to draw, after `verify` what to compare, after
`merge` and `convert` which checkpoint to make.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from modules.cli.merge_options import (
    Conversion,
    Merging,
    conversion_from,
    convert_parser,
    merge_parser,
    merging_from,
)
from modules.cli.redrawing import Redrawing, add_redrawing_options, redrawing_from
from modules.flags import FlagParser, Flags, add_flags, flags_from, parse_flags, read_words

__all__ = ["STOPPED", "Command", "Drawing", "parse_command"]

STEPS = 20
STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""


@dataclass(frozen=True)
class Drawing:
    """What `generate` was asked for. None: the default of the model, the settings or the program."""

    prompt: str
    negative_prompt: str
    steps: int
    seed: int
    sampler: str | None
    scheduler: str | None
    cfg_scale: float
    width: int | None
    height: int | None
    batch_size: int
    batch_count: int
    model: str | None
    style: tuple[str, ...]
    output: Path | None
    redrawing: Redrawing | None = None


@dataclass(frozen=True)
class Command:
    """A command line as understood: the flags, the drawing if it began with `generate`, the picture files if
    it began with `verify`, with where the pictures that they were drawn from are, the merge or conversion if
    it began with that.
    """

    flags: Flags
    drawing: Drawing | None = None
    to_verify: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()
    merging: Merging | None = None
    conversion: Conversion | None = None


def parse_command(words: Sequence[str]) -> Command:
    """Understand `words`, over the flags of COMMANDLINE_ARGS of the environment.

    Ends the program with status 2 and a sentence for what is not understood, and with 0 after --help.
    """
    if list(words[:1]) == ["verify"]:
        found = read_words(_verify_parser(), words[1:])
        return Command(flags_from(found), to_verify=tuple(found.pictures), sources=tuple(found.source))
    if list(words[:1]) == ["merge"]:
        parser = merge_parser()
        found = read_words(parser, words[1:])
        return Command(flags_from(found), merging=merging_from(found, parser))
    if list(words[:1]) == ["convert"]:
        found = read_words(convert_parser(), words[1:])
        return Command(flags_from(found), conversion=conversion_from(found))
    if list(words[:1]) != ["generate"]:
        return Command(_as_tests_start(parse_flags(words)))
    parser = _generate_parser()
    found = read_words(parser, words[1:])
    names = [field.name for field in fields(Drawing) if field.name != "redrawing"]
    values: dict[str, Any] = {name: getattr(found, name) for name in names}
    redrawing = redrawing_from(found, parser)
    return Command(flags_from(found), Drawing(**{**values, "style": tuple(found.style)}, redrawing=redrawing))


def _as_tests_start(flags: Flags) -> Flags:
    """What `--test-server` stands for."""
    return replace(flags, api=True, use_cpu=("all",), autolaunch=False) if flags.test_server else flags


def _generate_parser() -> FlagParser:
    parser = FlagParser(
        "webui.sh generate", "Make pictures from a prompt, or from pictures, without a server."
    )
    parser.usage = "webui.sh generate PROMPT [options] [flags]"
    parser.epilog = "The server's flags work here too; `webui.sh --help` lists them."
    parser.add_argument("prompt", help="What the picture shows.")
    _add_options(parser)
    add_redrawing_options(parser)
    add_flags(parser, hidden=True)
    return parser


def _verify_parser() -> FlagParser:
    parser = FlagParser("webui.sh verify", "Make pictures again from what they carry, and compare.")
    parser.usage = "webui.sh verify PICTURE... [--source FILE] [flags]"
    parser.epilog = (
        "Status 0: the same, bit for bit or within rounding. 1: one differs. 2: one cannot be made again.\n"
        "The server's flags work here too; `webui.sh --help` lists them."
    )
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="A picture file.")
    parser.add_argument(
        "--source", action="append", default=[], type=Path, metavar="FILE",
        help="A picture, or a folder of them, that these were drawn from; may be repeated.",
    )  # fmt: skip
    add_flags(parser, hidden=True)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-n", "--negative-prompt", default="", metavar="TEXT", help="What it must not show.")
    add("--steps", type=int, default=STEPS, metavar="N", help=f"Sampling steps ({STEPS}).")
    add("--seed", type=int, default=-1, metavar="N", help="Seed of the first picture; -1 draws one.")
    add("--sampler", metavar="NAME", help="Sampler (the first of the page's menu).")
    add("--scheduler", metavar="NAME", help="Schedule of the noise levels (the sampler's own).")
    add("--cfg-scale", type=float, default=7.0, metavar="X", help="Guidance (7).")
    add("--width", type=int, metavar="PIXELS", help="Width (the model's own).")
    add("--height", type=int, metavar="PIXELS", help="Height (the model's own).")
    add("--batch-size", type=int, default=1, metavar="N", help="Pictures made together (1).")
    add("--batch-count", type=int, default=1, metavar="N", help="Batches made one after another (1).")
    add("--model", metavar="NAME", help="Checkpoint (the one that is set).")
    add("--style", action="append", default=[], metavar="NAME", help="Style of styles.csv; may be repeated.")
    add("-o", "--output", type=Path, metavar="FILE", help="File to write (a new one in the outputs folder).")
