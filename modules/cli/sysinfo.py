"""`--dump-sysinfo`: the report about program and machine as a file, without a server."""

import sys
from datetime import datetime
from pathlib import Path

from modules.atomic import replace_file
from modules.flags import Flags
from modules.house import make_house
from modules.rest import system_report

__all__ = ["dump_sysinfo"]


def dump_sysinfo(flags: Flags) -> int:
    """Write `sysinfo-DATE.json` into the current folder and say its name; the exit status.

    Raises EaselError where the program could not start either.
    """
    house = make_house(flags)
    try:
        text = system_report(house).model_dump_json(by_alias=True, indent=4)
    finally:
        house.close()
    path = Path(f"sysinfo-{datetime.now().astimezone():%Y-%m-%d-%H-%M}.json")
    replace_file(path, text.encode())
    sys.stdout.write(f"{path}\n")
    return 0
