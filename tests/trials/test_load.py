"""A crowd at one server: each job is done once, each client and each watcher gets its answers."""

import os
import threading
from collections import Counter

import pytest

from .crashes import left_behind, output_files
from .crowd import Crowd
from .lives import Nursery
from .small_jobs import make_data_folder
from .stopwatch import time_progress

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forked")]

CLIENTS, JOBS, WATCHERS = 8, 40, 4
REQUEST = {
    "prompt": "a cat",
    "steps": 3,
    "width": 64,
    "height": 64,
    "sampler_name": "Euler",
    "save_images": True,
}


@pytest.fixture
def server(tmp_path, all_parity_models):
    data = make_data_folder(tmp_path / "data")
    with Nursery(tmp_path / "server.log") as nursery:
        life = nursery.start(data, all_parity_models)
        life.until_it_answers()
        yield life
        life.kill()


def test_a_crowd_has_every_job_made_once_and_every_watcher_hears_of_it(server, tmp_path):
    over, times = threading.Event(), []
    watch = threading.Thread(target=lambda: times.append(time_progress(server.port, over.is_set)))
    watch.start()
    crowd = Crowd(server.port, REQUEST)
    seen = crowd.have_made(CLIENTS, JOBS, WATCHERS)
    over.set()
    watch.join(60)

    assert len(seen.pictures) == JOBS
    assert [len(pictures) for pictures in seen.pictures.values()] == [1] * JOBS
    assert len({pictures[0] for pictures in seen.pictures.values()}) == JOBS
    files = output_files(tmp_path / "data")
    assert sorted(int(name.rsplit("-", 1)[1].removesuffix(".png")) for name in files) == list(range(JOBS))
    assert left_behind(tmp_path / "data") == []

    jobs = server.ask("/easel/v1/jobs?limit=500")["jobs"]
    assert Counter(job["state"] for job in jobs) == {"done": JOBS}
    assert len(seen.ends) == WATCHERS // 2
    assert all(set(ends) == set(seen.pictures) for ends in seen.ends)
    assert seen.polls["active"] > 0
    assert times[0]["plain"]
    assert times[0]["with preview"]
