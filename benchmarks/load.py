"""A crowd at one server: 50 clients, 500 jobs of the embedded model, 20 watchers.

    venv/bin/python benchmarks/load.py [--clients 50] [--jobs 500] [--watchers 20] [--steps 8]

Prints how long `/internal/progress` takes while a picture is drawn, the server's memory over the run, and
the size of its database; ends with 1 where a job was not done exactly once. Clients, watchers and stopwatch
run on the same machine and take their share of it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil

from tests.trials.asking import ask, free_port, until
from tests.trials.crowd import Crowd, Seen

SETTLED_AFTER = 50
"""Jobs until all that is loaded once is loaded."""


@contextmanager
def server(data: Path, port: int) -> Iterator[psutil.Process]:
    """A server as a person starts it, the page included, over a fresh data folder."""
    words = ["--data-dir", str(data), "--port", str(port)]
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "webui.py", *words],
            cwd=ROOT,
            env={**os.environ, "COMMANDLINE_ARGS": ""},
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: _answers(port))
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _answers(port: int) -> bool:
    try:
        return bool(ask(port, "/internal/ping", timeout=5) == {})
    except OSError:
        return False


@contextmanager
def stopwatch(port: int) -> Iterator[dict[str, list[float]]]:
    """Seconds of the answers of `/internal/progress`, there when the context has ended."""
    found: dict[str, list[float]] = {}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.trials.stopwatch", str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield found
    finally:
        found.update(json.loads(process.communicate(timeout=60)[0]))


class Memory:
    """The server's resident memory in MiB after each job."""

    def __init__(self, process: psutil.Process, jobs: int) -> None:
        self._process, self._jobs = process, jobs
        self.after: dict[int, float] = {}

    def look(self, done: int) -> None:
        """Called when so many jobs are done."""
        self.after[done] = self._process.memory_info().rss / 2**20

    def rows(self) -> Iterator[tuple[str, str]]:
        """Lines of the table: near the start, in the middle, at the end."""
        for done in sorted({1, SETTLED_AFTER, self._jobs // 2, self._jobs} & set(self.after)):
            yield f"resident memory after {done} jobs", f"{self.after[done]:.0f} MiB"
        later = [mib for done, mib in self.after.items() if done >= SETTLED_AFTER]
        if later:
            yield "highest after that", f"{max(later):.0f} MiB"


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` of 100 lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def refuse_unless_once(data: Path, port: int, seen: Seen, jobs: int) -> None:
    """End with 1 where a job is missing, was made twice, or has no picture of its own."""
    files = [path.stem.rsplit("-", 1)[1] for path in (data / "outputs").rglob("*.png")]
    listed = ask(port, f"/easel/v1/jobs?limit={min(jobs, 500)}&state=done")["jobs"]
    distinct = {picture for pictures in seen.pictures.values() for picture in pictures}
    once = sorted(map(int, files)) == list(range(jobs)) and len(distinct) == jobs
    if not once or len(listed) < min(jobs, 500):
        sys.exit(f"{jobs} jobs: {len(files)} files, {len(distinct)} answers, {len(listed)} in the list")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, count in (("clients", 50), ("jobs", 500), ("watchers", 20), ("steps", 8)):
        parser.add_argument(f"--{name}", type=int, default=count)
    args = parser.parse_args()
    request = {
        "prompt": "a cat face", "steps": args.steps, "width": 128, "height": 128, "sampler_name": "Euler",
        "save_images": True,
    }  # fmt: skip
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), port) as process:
        memory = Memory(process, args.jobs)
        began = time.monotonic()
        with stopwatch(port) as waits:
            seen = Crowd(port, request, memory.look).have_made(args.clients, args.jobs, args.watchers)
        seconds = time.monotonic() - began
        refuse_unless_once(Path(folder), port, seen, args.jobs)
        database = sum(path.stat().st_size for path in Path(folder).glob("easel.sqlite3*"))
    print("| what | value |\n| --- | --- |")
    print(f"| jobs done, each once | {args.jobs} in {seconds:.0f} s |")
    for kind, values in waits.items():
        middle, late = 1000 * statistics.median(values), 1000 * percentile(values, 95)
        print(f"| /internal/progress, {kind}: median of {len(values)} | {middle:.1f} ms |")
        print(f"| /internal/progress, {kind}: 95th percentile | {late:.1f} ms |")
    for name, value in memory.rows():
        print(f"| {name} | {value} |")
    print(f"| database | {database / 2**20:.1f} MiB |")
    print(f"| load of the machine at the end | {os.getloadavg()[0]:.1f} |")


if __name__ == "__main__":
    main()
