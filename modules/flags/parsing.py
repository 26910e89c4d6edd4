"""From the command line to `Flags`, and the sentence for what is not understood."""

import argparse
import dataclasses
import difflib
import os
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from modules.argument_words import words_of_environment
from modules.errors import EaselError
from modules.flags.declare import FlagGroup, FlagInfo, flag_info
from modules.flags.flags import Flags, option_string

__all__ = ["FlagParser", "add_flags", "flags_from", "parse_flags", "read_words", "with_absolute_paths"]

DESCRIPTION = """Easel: Stable Diffusion in a browser, on your own machine.

  ./webui.sh [flags]                   start the server
  ./webui.sh generate PROMPT [flags]   make a picture without a server; generate --help says how
  ./webui.sh verify PICTURE... [flags] make pictures again and say whether they are the same
  ./webui.sh merge MODEL... [flags]    make a checkpoint of others; merge --help says how
  ./webui.sh convert MODEL [flags]     write a checkpoint in another format or number type
  ./webui.sh test [pytest arguments]   run the tests"""


class FlagParser(argparse.ArgumentParser):
    """argparse whose complaints are sentences, naming the flag nearest to an unknown one. Exit status 2."""

    source = ""
    """A sentence that says where the words stand."""

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
        self.exit(2, f"{sentence}{end}{self.source} `{self.prog} --help` lists all flags.\n")

    def _unknown_sentence(self, word: str) -> str:
        name = word.partition("=")[0]
        if not name.startswith("-"):
            return f"The word {word!r} on the command line is not understood; flags begin with --"
        near = difflib.get_close_matches(name, list(self._option_string_actions), n=1, cutoff=0.5)
        return f"There is no flag {name}" + (f"; did you mean {near[0]}?" if near else "")


def parse_flags(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Flags:
    """The flags of `argv` over those of COMMANDLINE_ARGS in `environment` (the process's by default).

    A flag that stands in both takes its value from `argv`; one that may be repeated has both. Ends the
    program with status 2 and a sentence for a flag that does not exist or a value that cannot be, and with
    status 0 after `--help`.
    """
    parser = FlagParser()
    add_flags(parser)
    return flags_from(read_words(parser, argv, environment))


def read_words(
    parser: FlagParser, words: Sequence[str], environment: Mapping[str, str] | None = None
) -> argparse.Namespace:
    """What `parser` understands of `words`, over the flags of COMMANDLINE_ARGS.

    Paths in these start at the folder that EASEL_ARGS_FOLDER names: webui.sh says so of what stands in
    webui-user.sh. Without it they start at the working folder, as those of the command line do.
    """
    environment = os.environ if environment is None else environment
    own = FlagParser()
    own.source = " It stands in COMMANDLINE_ARGS."
    add_flags(own)
    try:
        given = own.parse_args(words_of_environment(environment))
    except EaselError as error:
        parser.error(str(error))
    vars(given).update(_paths(given, Path(environment.get("EASEL_ARGS_FOLDER") or ".")))
    found: argparse.Namespace = parser.parse_args(words, given)
    return found


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
    """The `Flags` among the values of `namespace`: lists become tuples, paths start at the working folder."""
    values = {field.name: _frozen(getattr(namespace, field.name)) for field in dataclasses.fields(Flags)}
    return with_absolute_paths(Flags(**values))


def with_absolute_paths(flags: Flags) -> Flags:
    """`flags` as they mean the same wherever the process goes on to work."""
    return dataclasses.replace(flags, **_paths(flags, Path()))


def _paths(values: Flags | argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The paths among `values`, absolute: relative ones start at `folder`."""
    names = [field.name for field in dataclasses.fields(Flags) if flag_info(field).is_path]
    return {name: _below(folder, getattr(values, name)) for name in names}


def _below(folder: Path, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_below(folder, each) for each in value)
    # Not resolved: a link keeps the name that the user knows, and may point elsewhere tomorrow.
    return value if value is None else (folder / value.expanduser()).absolute()


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("a path is needed, and there is nothing")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"{text}: nobody's home folder is known by that name") from None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _argparse_shape(info: FlagInfo, annotation: Any) -> dict[str, Any]:
    if info.store_false:
        return {"action": "store_false"}
    if annotation is bool:
        return {"action": "store_true"}
    metavar = "|".join(info.choices) or _metavar(annotation)
    shape: dict[str, Any] = {"type": info.convert or _constructor(annotation), "metavar": metavar}
    if info.is_path:
        action = _Gather if info.repeatable else _Several if info.several else _Once
        shape |= {"type": _path, "metavar": "PATH", "action": action}
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


class _Several(argparse.Action):
    """One path as it is, more as a tuple: clients of the API know the flag with one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        known = () if before is None else before if isinstance(before, tuple) else (before,)
        setattr(namespace, self.dest, (*known, values) if known else values)


class _Once(argparse.Action):
    """A path that only one can be of: a second one would silently take the first one's place."""

    given: Path | None = None

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if self.given not in (None, values):
            parser.error(f"{option_string} is given twice, {self.given} and {values}; leave one out")
        self.given = values
        setattr(namespace, self.dest, values)
