"""Seconds from the command to a server that answers, and what the large packages cost of it, one by one.

    venv/bin/python benchmarks/startup.py [--rounds 3]

Each figure is the median of fresh processes. "ready" is the first answer of /internal/ping, "page" the first
of /.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "PIL.Image", "torch", "transformers", "diffusers", "gradio", "fastapi")
PATIENCE_SECONDS = 120


def import_seconds(package: str) -> float:
    """Seconds that importing `package` alone takes in a fresh process, without the interpreter's start."""
    code = f"import time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(answer.stdout.split()[-1])


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def seconds_until(url: str, started: float) -> float:
    """Seconds from `started` to the first answer of `url`."""
    while time.perf_counter() - started < PATIENCE_SECONDS:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return time.perf_counter() - started
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer in {PATIENCE_SECONDS} s")


def start_seconds() -> tuple[float, float]:
    """Seconds to the first ping and to the first page of a fresh server."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "webui.py", "--port", str(port), "--data-dir", data]
        started = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                ready = seconds_until(f"http://127.0.0.1:{port}/internal/ping", started)
                page = seconds_until(f"http://127.0.0.1:{port}/", started)
            finally:
                server.terminate()
    return ready, page


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = range(parser.parse_args().rounds)
    print("| what | seconds |\n| --- | --- |")
    for package in PACKAGES:
        print(f"| import {package} | {statistics.median(import_seconds(package) for _ in rounds):.2f} |")
    ready, page = zip(*(start_seconds() for _ in rounds), strict=True)
    print(f"| start to ready | {statistics.median(ready):.2f} |")
    print(f"| start to the first page | {statistics.median(page):.2f} |")


if __name__ == "__main__":
    main()
