"""What the program does first, whatever it was started for."""

import logging
import os
import sys
from collections.abc import Sequence

from modules.cli.command import STOPPED, Command, parse_command
from modules.errors import EaselError
from modules.flags import Flags, unused_flags

__all__ = ["main"]

log = logging.getLogger(__name__)


def main(words: Sequence[str]) -> int:
    """Do what the command line says; the exit status. What goes wrong is a sentence on standard error."""
    command = parse_command(words)
    _set_up_logging(command.flags)
    _keep_libraries_off_the_network()
    for flag, reason in unused_flags(command.flags).items():
        log.info("%s has no effect here. %s", flag, reason)
    try:
        return _run(command)
    except EaselError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # Who read what is written has gone; the rest goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "modules":
            raise
        return _refuse(
            f"The package {error.name} is missing: start once with --reinstall to install all again."
        )


def _run(command: Command) -> int:
    # torch and the web come in only here, so that --help and refusals answer at once.
    if command.flags.dump_sysinfo:
        from modules.cli.sysinfo import dump_sysinfo

        return dump_sysinfo(command.flags)
    if command.drawing:
        from modules.cli.draw import draw

        return draw(command.flags, command.drawing)
    if command.to_verify:
        from modules.cli.verify import verify

        return verify(command.flags, command.to_verify, command.sources)
    if command.merging:
        from modules.cli.merging import merge

        return merge(command.flags, command.merging)
    if command.conversion:
        from modules.cli.merging import convert

        return convert(command.flags, command.conversion)
    from modules.server import serve

    return serve(command.flags)


def _set_up_logging(flags: Flags) -> None:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("modules").setLevel(flags.loglevel or logging.INFO)


def _keep_libraries_off_the_network() -> None:
    """Nothing is looked up or reported unless a person asks for it by name."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 1
