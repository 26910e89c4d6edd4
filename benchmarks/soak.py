"""Whether the program keeps what it needs no more: of sessions, jobs, models, pictures that are enlarged.

    venv/bin/python benchmarks/soak.py --sessions 1000 --jobs 2000 --models 10

A server is started over the tests' small models. Memory and open files are read after the first 100 rounds
(or a half of them, if there are fewer), and at the end. Exit status 1: more than 60 MB were kept, or files.
"""

import argparse
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

PROGRAM = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROGRAM))

from tests.trials.asking import ask, free_port, until

MODELS = PROGRAM / "tests" / "parity" / "models"
SMALL = {"steps": 1, "width": 64, "height": 64, "seed": 1}
MOST_MB = 60.0
MOST_FILES = 8


def picture(side: int = 64) -> str:
    """A grey picture in base64."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), "grey").save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


@contextmanager
def server(data: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The port and the process of a server over `data`."""
    port = free_port()
    words = ["--data-dir", str(data), "--ckpt-dir", str(MODELS), "--port", str(port)]
    with (data / "server.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "webui.py", *words], cwd=PROGRAM, stdout=log, stderr=log)
        try:
            until(lambda: answers(port), 300, every=0.2)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def answers(port: int) -> bool:
    """Whether the server is there."""
    with suppress(OSError):
        return ask(port, "/internal/ping") == {}
    return False


def session(port: int, number: int, event: dict[str, Any]) -> None:
    """A page that opens, has one event, and reads its answer or, every other one, goes away before that."""
    name = f"soak{number}"
    call = {"fn_index": event["id"], "session_hash": name, "data": [None] * len(event["inputs"])}
    ask(port, "/gradio_api/queue/join", call)
    if number % 2:
        url = f"http://127.0.0.1:{port}/gradio_api/queue/data?session_hash={name}"
        with urllib.request.urlopen(url, timeout=60) as lines:
            for line in lines:
                if b"process_completed" in line:
                    break


def rounds(port: int, wanted: argparse.Namespace) -> Iterator[str]:
    """One round of work after the other; what each was."""
    config = ask(port, "/config")
    event = next(each for each in config["dependencies"] if each["backend_fn"] and each["queue"] is not False)
    titles = [each["title"] for each in ask(port, "/sdapi/v1/sd-models")]
    usable = [title for title in titles if "tiny-sd" in title and "/" not in title][: wanted.models]
    most = max(wanted.sessions, wanted.jobs)
    for number in range(most):
        if number * wanted.sessions // most != (number + 1) * wanted.sessions // most:
            session(port, number, event)
        if number * wanted.jobs // most != (number + 1) * wanted.jobs // most:
            settings = {"sd_model_checkpoint": usable[number * len(usable) // most]}
            ask(
                port, "/sdapi/v1/txt2img", {**SMALL, "prompt": f"cat {number}", "override_settings": settings}
            )
        if number % 10 == 0:
            ask(port, "/sdapi/v1/extra-single-image", {"image": picture(), "upscaling_resize": 2})
        if number % 50 == 0:
            with suppress(urllib.error.HTTPError):
                ask(port, "/sdapi/v1/interrogate", {"image": picture(), "model": "clip"})
        yield f"round {number + 1}"


def state(process: psutil.Process) -> tuple[float, int]:
    """Memory in MB and open files of the server with its helpers."""
    own = [process, *process.children(recursive=True)]
    return sum(each.memory_info().rss for each in own) / 2**20, process.num_fds()


def main() -> int:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--models", type=int, default=10)
    wanted = parser.parse_args()
    first = min(100, max(wanted.sessions, wanted.jobs) // 2)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (port, process):
        began, before = time.monotonic(), state(process)
        for number, _ in enumerate(rounds(port, wanted), 1):
            if number == first:
                before = state(process)
        after = state(process)
        found = {
            "rounds": max(wanted.sessions, wanted.jobs),
            "seconds": round(time.monotonic() - began, 1),
            f"MB after {first}": round(before[0], 1),
            "MB at the end": round(after[0], 1),
            "files before": before[1],
            "files at the end": after[1],
            "megabytes on the disk": sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
            >> 20,
        }
    print(json.dumps(found, indent=2))
    return int(after[0] - before[0] > MOST_MB or after[1] - before[1] > MOST_FILES)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
