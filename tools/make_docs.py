"""Write the tables of docs/ from the declarations: samplers, schedules, settings, flags.

    venv/bin/python -m tools.make_docs [--check]

With --check nothing is written, and the exit status says whether the pages are current (a test does this).
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from modules.flags import Flags, option_string
from modules.flags.declare import flag_info
from modules.sampling import SAMPLERS, SCHEDULES
from modules.settings import describe_options

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTE = "This page is written by `python -m tools.make_docs`; change the declarations instead of the page.\n"


WHERE_FLAGS_STAND = """Flags stand behind `./webui.sh` or `webui.bat`, and behind every command (`generate`, \
`verify` ...); of every start in `COMMANDLINE_ARGS`,
in `webui-user.sh` or `webui-user.bat`. A flag that stands in both counts as it stands on the command line. \
Folders of models may be named several
times, and all are searched; of other paths there is one.

A relative path starts in the folder where you stand when you call the program. In `COMMANDLINE_ARGS` \
of `webui-user.sh` and of Windows it starts
in the folder of the program, in one that you set by hand on Linux and macOS where you stand. `~` is your \
own folder.

In `COMMANDLINE_ARGS` words are parted by blanks. Put a path with blanks in it into quotation marks: \
`--data-dir "/my pictures"`. A quotation mark in
the middle of a word is a letter (`/home/o'brien`), and on Windows so is a backslash.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)]) + "\n"


def _first_sentence(text: str | None) -> str:
    words = " ".join((text or "").split())
    return re.split(r"(?<!al)\. ", words)[0].rstrip(".") + "."


def samplers_page() -> str:
    """docs/samplers.md"""
    samplers = table(
        ("Sampler", "What it is", "Its own schedule", "Evaluations a step", "Fresh noise"),
        (
            (
                f"**{sampler.name}**",
                _first_sentence(sampler.solver.__doc__),
                SCHEDULES[sampler.favourite].name if sampler.uses_sigmas else "times",
                2 if sampler.second_order else 1,
                "Brownian path"
                if sampler.brownian
                else ("each step" if sampler.eta.value != "none" else "no"),
            )
            for sampler in SAMPLERS.values()
        ),
    )
    schedules = table(
        ("Schedule", "Aliases"),
        ((f"**{each.name}**", ", ".join(each.aliases)) for each in SCHEDULES.values()),
    )
    return f"# Samplers and schedules\n\n{NOTE}\n{samplers}\n## Schedules\n\n{schedules}"


def settings_page() -> str:
    """docs/settings.md"""
    parts = []
    section = None
    rows: list[Sequence[object]] = []
    head = ("Key", "Label", "Default", "Help")
    for info in describe_options():
        if info.section_title != section:
            if rows:
                parts.append(table(head, rows))
            section, rows = info.section_title, []
            parts.append(f"## {section}\n")
        rows.append((f"`{info.key}`", info.label, f"`{info.default!r}`", info.help or ""))
    parts.append(table(head, rows))
    return f"# Settings\n\n{NOTE}\n" + "\n".join(parts)


def flags_page() -> str:
    """docs/flags.md"""
    rows = [(f"`{option_string(field.name)}`", flag_info(field).help) for field in fields(Flags)]
    return f"# Command line\n\n{NOTE}\n{WHERE_FLAGS_STAND}\n" + table(("Flag", "Meaning"), sorted(rows))


PAGES = {
    "samplers.md": samplers_page,
    "settings.md": settings_page,
    "flags.md": flags_page,
}


def main() -> int:
    """Write or check every page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not args.check:
            path.write_text(text)
            print(f"wrote docs/{name}")
    if args.check and stale:
        print(f"not current: {', '.join(stale)}")
    return int(args.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
