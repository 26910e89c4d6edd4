"""Many clients and watchers of one server at the same time."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .asking import ask

__all__ = ["Crowd", "Seen"]

POLL_SECONDS = 0.5


@dataclass
class Seen:
    """What the crowd has seen."""

    pictures: dict[str, list[str]] = field(default_factory=dict)
    """What each job answered, by its id."""
    ends: list[Counter[str]] = field(default_factory=list)
    """How often each watcher of events was told that a job was done."""
    polls: Counter[str] = field(default_factory=Counter)
    """What the other watchers were answered: a job was active, queued, completed."""


class Crowd:
    """Clients that each have one picture after another made and wait for it, and watchers who only look.

    Half of the clients call the field's API, the others order and follow their jobs; half of the watchers get
    events, the others ask for the progress of each job every half second. `told` is called after each job
    with the number of those that are done.
    """

    def __init__(
        self, port: int, request: dict[str, Any], told: Callable[[int], None] = lambda number: None
    ) -> None:
        self._port, self._request, self._told = port, request, told
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.seen = Seen()

    def have_made(self, clients: int, jobs: int, watchers: int) -> Seen:
        """Have `jobs` made by so many clients under the eyes of so many watchers. Raises what a client meets."""
        with self._watchers(watchers), ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(self._be_client, first, jobs, clients) for first in range(clients)]:
                done.result()
        return self.seen

    def _be_client(self, first: int, jobs: int, clients: int) -> None:
        for number in range(first, jobs, clients):
            name = f"crowd-{number}"
            request = {**self._request, "seed": number, "force_task_id": name}
            pictures = self._call(request) if first % 2 else self._order_and_follow(name, request)
            with self._lock:
                assert name not in self.seen.pictures
                self.seen.pictures[name] = pictures
                self._told(len(self.seen.pictures))

    def _call(self, request: dict[str, Any]) -> list[str]:
        return list(ask(self._port, "/sdapi/v1/txt2img", request, timeout=3600)["images"])

    def _order_and_follow(self, name: str, request: dict[str, Any]) -> list[str]:
        ask(self._port, "/easel/v1/jobs", {"request": request})
        for news in self._events(f"/easel/v1/jobs/{name}/events", lambda: False):
            if news["state"] == "done":
                break
        pictures = ask(self._port, f"/easel/v1/jobs/{name}/pictures?as=base64")["pictures"]
        return [picture["data"] for picture in pictures]

    @contextmanager
    def _watchers(self, number: int) -> Iterator[None]:
        kinds = (self._watch_events, self._poll)
        threads = [threading.Thread(target=kinds[k % 2], daemon=True) for k in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
            # The last news of a slow reader may still be on its way.
            time.sleep(1)
        finally:
            self._over.set()

    def _watch_events(self) -> None:
        ends: Counter[str] = Counter()
        self.seen.ends.append(ends)
        for news in self._events("/easel/v1/events", self._over.is_set):
            if news.get("state") == "done":
                ends[news["job"]] += 1

    def _events(self, route: str, is_over: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """The data of server-sent events, as they come."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3600)
        connection.request("GET", route)
        answer = connection.getresponse()
        assert answer.status == 200
        try:
            while (line := answer.readline()) and not is_over():
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))
        finally:
            connection.close()

    def _poll(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            for job in ask(self._port, "/easel/v1/queue")["running"]:
                answer = ask(self._port, "/internal/progress", {"id_task": job, "live_preview": True})
                with self._lock:
                    self.seen.polls += Counter(
                        {kind: answer[kind] for kind in ("active", "queued", "completed")}
                    )
