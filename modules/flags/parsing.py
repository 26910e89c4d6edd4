"""From the command line to `Flags`, and the sentence for what is not understood."""

import argparse
import dataclasses
import difflib
import os
import shlex
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from modules.flags.declare import FlagGroup, FlagInfo, flag_info
from modules.flags.flags import Flags, option_string

__all__ = ["FlagParser", "add_flags", "environment_arguments", "flags_from", "parse_flags"]

DESCRIPTION = """Easel: Stable Diffusion in a browser, on your own machine.

  ./webui.sh [flags]                   start the server
  ./webui.sh generate PROMPT [flags]   make a picture without a server; generate --help says how
  ./webui.sh verify PICTURE... [flags] make pictures again and say whether they are the same
  ./webui.sh merge MODEL... [flags]    make a checkpoint of others; merge --help says how
  ./webui.sh convert MODEL [flags]     write a checkpoint in another format or number type
  ./webui.sh test [pytest arguments]   run the tests"""


class FlagParser(argparse.ArgumentParser):
    """argparse whose complaints are sentences, naming the flag nearest to an unknown one. Exit status 2."""

    def __init__(self, prog: str = "webui.sh", description: str = DESCRIPTION) -> None:
        super().__init__(
            prog=prog,
            description=description,
            usage=f"{prog} [flags]",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, except that unknown words end in a sentence."""
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown_sentence(unknown[0]))
        return known

    def error(self, message: str) -> NoReturn:
        """End the program with status 2 and `message`."""
        sentence = message[:1].upper() + message[1:]
        end = "" if sentence.endswith((".", "?")) else "."
        self.exit(2, f"{sentence}{end} `{self.prog} --help` lists all flags.\n")

    def _unknown_sentence(self, word: str) -> str:
        name = word.partition("=")[0]
        if not name.startswith("-"):
            return f"The word {word!r} on the command line is not understood; flags begin with --"
        near = difflib.get_close_matches(name, list(self._option_string_actions), n=1, cutoff=0.5)
        return f"There is no flag {name}" + (f"; did you mean {near[0]}?" if near else "")


def parse_flags(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Flags:
    """The flags of `argv`, behind those of COMMANDLINE_ARGS in `environment` (the process's by default).

    A flag that stands in both takes its value from `argv`. Ends the program with status 2 and a sentence for
    a flag that does not exist or a value that cannot be, and with status 0 after `--help`.
    """
    parser = FlagParser()
    add_flags(parser)
    return flags_from(parser.parse_args([*environment_arguments(environment), *argv]))


def environment_arguments(
    environment: Mapping[str, str] | None = None, windows: bool = os.name == "nt"
) -> list[str]:
    """The words of COMMANDLINE_ARGS. On Windows a backslash is part of a path and escapes nothing."""
    text = (os.environ if environment is None else environment).get("COMMANDLINE_ARGS", "")
    words = shlex.shlex(text, posix=True, punctuation_chars=False)
    words.whitespace_split = True
    words.commenters = ""
    if windows:
        words.escape = ""
    return list(words)


def add_flags(parser: argparse.ArgumentParser, hidden: bool = False) -> None:
    """Declare every field of `Flags` on `parser` under its group's heading; `hidden`: not in the help."""
    types = typing.get_type_hints(Flags)
    headings = {group: parser.add_argument_group(None if hidden else group.value) for group in FlagGroup}
    for field in dataclasses.fields(Flags):
        info = flag_info(field)
        shape = _argparse_shape(info, types[field.name])
        help_text = argparse.SUPPRESS if hidden else info.help.replace("%", "%%")
        headings[info.group].add_argument(
            option_string(field.name), dest=field.name, default=field.default, help=help_text, **shape
        )


def flags_from(namespace: argparse.Namespace) -> Flags:
    """The `Flags` among the values of `namespace`; lists become tuples."""
    return Flags(
        **{field.name: _frozen(getattr(namespace, field.name)) for field in dataclasses.fields(Flags)}
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _argparse_shape(info: FlagInfo, annotation: Any) -> dict[str, Any]:
    if info.store_false:
        return {"action": "store_false"}
    if annotation is bool:
        return {"action": "store_true"}
    if info.repeatable:
        return {"action": _Gather}
    metavar = "|".join(info.choices) or _metavar(annotation)
    shape: dict[str, Any] = {"type": info.convert or _constructor(annotation), "metavar": metavar}
    if info.choices:
        shape["choices"] = info.choices
    if info.nargs:
        shape["nargs"] = info.nargs
    return shape


def _constructor(annotation: Any) -> Any:
    return next(kind for kind in (*typing.get_args(annotation), annotation) if kind is not type(None))


def _metavar(annotation: Any) -> str:
    kind = _constructor(annotation)
    return {int: "N", str: "TEXT"}.get(kind, getattr(kind, "__name__", "TEXT").upper())


class _Gather(argparse.Action):
    """Collect the values of a flag that may be given several times into a tuple."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), values))
