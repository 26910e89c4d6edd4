"""Memory as the API tells it; threads as the machine has them."""

import threading

import pytest
import torch

from modules.errors import InvalidRequest
from modules.memory import each_alone, memory_report, physical_cores, set_threads

GIGABYTE = 1 << 30


def test_the_report_has_the_fields_of_the_api_and_adds_up() -> None:
    ram = memory_report().ram
    assert ram.keys() == {"free", "used", "total"}
    assert ram["free"] + ram["used"] == ram["total"] > GIGABYTE / 4
    assert 10 << 20 < ram["used"] < ram["total"]


def test_a_machine_without_cuda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert memory_report().cuda == {"error": "unavailable"}


def test_a_cuda_device_is_told_by_system_pools_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = {"active_bytes.all.current": 5, "active_bytes.all.peak": 9, "num_ooms": 1}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3 * GIGABYTE, 8 * GIGABYTE))
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda: statistics)
    cuda = memory_report().cuda
    assert cuda["system"] == {"free": 3 * GIGABYTE, "used": 5 * GIGABYTE, "total": 8 * GIGABYTE}
    assert cuda["active"] == {"current": 5, "peak": 9}
    assert cuda["reserved"] == {"current": 0, "peak": 0}
    assert cuda["events"] == {"retries": 0, "oom": 1}


@pytest.fixture
def threads_before():
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_threads_follow_the_flag_the_environment_and_the_cores(
    threads_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert set_threads(1) == 1
    assert set_threads() == physical_cores() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    assert set_threads() == 1


@pytest.mark.parametrize("count", [0, -2])
def test_less_than_one_thread_is_refused(count: int, threads_before: int) -> None:
    with pytest.raises(InvalidRequest, match=f"--threads {count}"):
        set_threads(count)
    assert torch.get_num_threads() == threads_before


def test_more_threads_than_cores_are_refused(threads_before: int) -> None:
    with pytest.raises(InvalidRequest, match=r"--threads 5000: .* cores? here.* is the fastest"):
        set_threads(5000)
    assert torch.get_num_threads() == threads_before


def test_pieces_are_done_each_in_one_thread_and_as_many_threads_at_a_time_as_torch_has(
    threads_before: int,
) -> None:
    torch.set_num_threads(2)
    both_at_work, done = threading.Barrier(2, timeout=30), []

    def work(piece: int) -> None:
        both_at_work.wait()
        done.append((piece, torch.get_num_threads()))

    each_alone(work, range(6))
    assert sorted(done) == [(piece, 1) for piece in range(6)]
    assert torch.get_num_threads() == 2


def test_a_piece_that_fails_says_so_and_leaves_the_threads_as_they_were(threads_before: int) -> None:
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError):
        each_alone(lambda piece: 1 / piece, range(3))
    assert torch.get_num_threads() == 2
