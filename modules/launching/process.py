"""What a process needs before anything else: open streams that take any name, and a folder to work in."""

import os
import sys
from pathlib import Path

__all__ = ["mend_process"]


def mend_process(program: Path) -> None:
    """Give this process what its caller took away, so that nothing later fails of it.

    A stream that was closed leads nowhere: otherwise the first file that is opened takes its place, and what
    is printed goes into that. Letters that a terminal cannot show are written as numbers. Where the working
    folder is gone it becomes `program`.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        Path.cwd()
    except OSError:
        os.chdir(program)
        sys.stderr.write(
            f"The folder that this was called from is gone: relative paths start at {program}.\n"
        )
