"""The queue of small jobs, worked off by servers that are killed again and again."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .asking import until
from .lives import Life, Nursery
from .phases import POINTS, Phase
from .small_jobs import make_data_folder

__all__ = ["Outcome", "disturbed", "left_behind", "output_files", "submit", "undisturbed"]

Jobs = Mapping[str, dict[str, Any]]
"""Requests by a name."""

SHARE_AT_POINTS = 0.4
ACCEPTED_A_LIFE = 5
LONGEST_DELAY_SECONDS = 0.1
PATIENCE_SECONDS = 3.0


@dataclass
class Outcome:
    """What a queue has made: the files of the outputs folder, what the clients get, what lies about."""

    files: dict[str, bytes]
    answers: dict[str, list[str]]
    left_behind: list[str]
    phases: int
    """How many phases the last server began."""
    kills: Counter[Phase] = field(default_factory=Counter)

    def first_difference(self, other: "Outcome") -> str | None:
        """The first file or answer that is not the same in both, in words; None: all are."""
        for kind, mine, others in (
            ("file", self.files, other.files),
            ("answer to", self.answers, other.answers),
        ):
            for name in sorted(set(mine) | set(others)):
                if name not in mine or name not in others:
                    return f"the {kind} {name} is only in {'one' if name in mine else 'the other'}"
                if mine[name] != others[name]:  # type: ignore[index]
                    return f"the {kind} {name} differs"
        return None


class Clients:
    """Hand the jobs in, one after another, until each is accepted; one may be handed in twice."""

    def __init__(self, jobs: Jobs) -> None:
        self.left = dict(jobs)

    @contextmanager
    def of(self, life: Life, most: int) -> Iterator[None]:
        """Hand in at most so many jobs meanwhile; at the end they are in, or the life is over."""
        thread = threading.Thread(target=self._hand_in, args=(life, most), daemon=True)
        thread.start()
        yield
        thread.join(300)
        assert not thread.is_alive()

    def _hand_in(self, life: Life, most: int) -> None:
        while not life.answers():
            if life.is_over():
                return
            time.sleep(0.01)
        for name, request in list(self.left.items())[:most]:
            try:
                submit(life, name, request)
            except OSError:
                return
            del self.left[name]


def submit(life: Life, name: str, request: dict[str, Any]) -> str:
    """The id of the job, whether it is accepted now or was before. Raises OSError where the server dies.

    Some clients choose the id themselves, others send a key.
    """
    if _has_own_id(name):
        return str(life.ask("/easel/v1/jobs", {"request": {**request, "force_task_id": name}})["id"])
    return str(life.ask("/easel/v1/jobs", {"request": request}, {"Idempotency-Key": name})["id"])


def _has_own_id(name: str) -> bool:
    return int(name[-1]) % 2 == 0


def undisturbed(nursery: Nursery, folder: Path, models: Path, jobs: Jobs) -> Outcome:
    """One server does it all."""
    data = make_data_folder(folder)
    life = nursery.start(data, models)
    with Clients(jobs).of(life, len(jobs)):
        life.until_it_answers()
    outcome = _wait_and_collect(life, data, jobs)
    life.kill()
    return outcome


def disturbed(
    nursery: Nursery,
    folder: Path,
    models: Path,
    jobs: Jobs,
    whole: Outcome,
    kills: int,
    seed: int,
) -> Outcome:
    """So many servers are killed, each at a moment of its own; one more goes on to the end.

    `whole` is what one server makes of the jobs; it tells how much of the work is to be left to each.
    """
    data = make_data_folder(folder)
    dice = random.Random(seed)
    clients = Clients(jobs)
    hit: Counter[Phase] = Counter()
    for point in _points(kills, dice):
        life = nursery.start(data, models, (point, dice.randint(1, 3)) if point else None)
        with clients.of(life, ACCEPTED_A_LIFE):
            _let_begin(life, None if point else dice.randint(0, whole.phases // kills))
            time.sleep(dice.uniform(0, LONGEST_DELAY_SECONDS))
            life.kill()
        hit[life.phases.phase] += 1
    life = nursery.start(data, models)
    with clients.of(life, len(clients.left)):
        life.until_it_answers()
    outcome = _wait_and_collect(life, data, jobs)
    life.kill()
    outcome.kills = hit
    return outcome


def _points(kills: int, dice: random.Random) -> list[Phase | None]:
    """The point at which each life dies, None for any moment.

    Jobs are accepted by the first lives alone, and the last ones may find nothing more to do.
    """
    at_points = round(kills * SHARE_AT_POINTS)
    points: list[Phase | None] = [*islice(cycle(POINTS), at_points), *[None] * (at_points // 2)]
    dice.shuffle(points)
    points.insert(dice.randint(0, 2), Phase.ACCEPTED)
    return points + [None] * (kills - len(points))


def _let_begin(life: Life, phases: int | None) -> None:
    """Let `life` begin so many phases (None: any); less if it dies before, or finds no more to do."""
    busy = time.monotonic()
    while (phases is None or life.phases.begun < phases) and not life.is_over():
        if life.phases.phase is not Phase.IDLE:
            busy = time.monotonic()
        if time.monotonic() - busy > PATIENCE_SECONDS:
            return
        time.sleep(0.002)


def _wait_and_collect(life: Life, data: Path, jobs: Jobs) -> Outcome:
    """Ask for every job again, as a client does whose connection broke, and look at the folder."""
    answers = {name: _pictures(life, name, request) for name, request in jobs.items()}
    return Outcome(output_files(data), answers, left_behind(data), life.phases.begun)


def _pictures(life: Life, name: str, request: dict[str, Any]) -> list[str]:
    job = submit(life, name, request)
    place = f"/easel/v1/jobs/{quote(job)}"
    state = until(lambda: (answer := life.ask(place))["state"] not in ("waiting", "running") and answer)
    assert state["state"] == "done", state
    pictures = [picture["data"] for picture in life.ask(f"{place}/pictures?as=base64")["pictures"]]
    if _has_own_id(name):
        pictures += life.ask("/sdapi/v1/txt2img", {**request, "force_task_id": name})["images"]
    return pictures


def output_files(data: Path) -> dict[str, bytes]:
    """The outputs by their names, hidden files aside."""
    outputs = data / "outputs"
    return {
        str(path.relative_to(outputs)): path.read_bytes()
        for path in sorted(outputs.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def left_behind(data: Path) -> list[str]:
    """Hidden files among the outputs, and unfinished ones anywhere."""
    return [
        str(path.relative_to(data))
        for path in sorted(data.rglob("*"))
        if path.suffix == ".tmp" or (path.name.startswith(".") and data / "outputs" in path.parents)
    ]
