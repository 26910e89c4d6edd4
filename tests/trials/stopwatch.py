"""How long `/internal/progress` takes to answer, in a process of its own, so that no other client slows it.

    python -m tests.trials.stopwatch PORT      until its input ends; prints the seconds as JSON

Asks about the job that runs, as the field's page does: on one connection, with and without a preview in turn.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["time_progress"]

PAUSE_SECONDS = 0.05


def time_progress(port: int, is_over: Callable[[], bool]) -> dict[str, list[float]]:
    """Seconds of each answer about a job while it was drawn, by whether a preview was asked for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    seconds: dict[str, list[float]] = {"plain": [], "with preview": []}
    turn = 0
    while not is_over():
        for job in _post(connection, "GET", "/easel/v1/queue")["running"]:
            kind = ("plain", "with preview")[turn % 2]
            turn += 1
            question = {"id_task": job, "live_preview": kind != "plain", "id_live_preview": -1}
            began = time.perf_counter()
            answer = _post(connection, "POST", "/internal/progress", question)
            took = time.perf_counter() - began
            if answer["active"]:
                seconds[kind].append(took)
        time.sleep(PAUSE_SECONDS)
    return seconds


def _post(connection: http.client.HTTPConnection, method: str, route: str, values: Any = None) -> Any:
    body = None if values is None else json.dumps(values)
    connection.request(method, route, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, f"{route} answered {answer.status}"
    return json.load(answer)


def main() -> None:
    """Measure until the input ends."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    sys.stdout.write(json.dumps(time_progress(int(sys.argv[1]), over.is_set)))


if __name__ == "__main__":
    main()
