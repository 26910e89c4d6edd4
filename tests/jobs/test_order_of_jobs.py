"""The order of the queue, as clients see it: fair, by priority, moved by hand, and the same after a restart."""

import pytest

from modules.errors import InvalidRequest
from modules.jobs import WrongState


@pytest.fixture
def busy(queue, order, until):
    """A queue that is busy with one job, so that the others wait."""
    first = queue.submit(order(), client="first")
    until(lambda: queue.current() is first)
    return queue


def ids(queue) -> list[str]:
    return [job.id for job in queue.waiting()]


def submit(queue, order, *names: str, **values):
    for name in names:
        queue.submit(order(), name, client=name[0], **values)


def test_clients_take_turns_whoever_sent_more(busy, order):
    submit(busy, order, "a1", "a2", "a3", "b1", "b2", "c1")
    assert ids(busy) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_priority_goes_before_turns(busy, order):
    submit(busy, order, "a1", "a2")
    submit(busy, order, "b1", priority=5)
    assert ids(busy) == ["b1", "a1", "a2"]
    busy.set_priority("a2", 6)
    assert ids(busy) == ["a2", "b1", "a1"]


@pytest.mark.parametrize("priority", [1001, -1001])
def test_a_priority_out_of_bounds_is_refused(busy, order, priority):
    with pytest.raises(InvalidRequest, match="-1000 to 1000"):
        busy.submit(order(), priority=priority)


@pytest.mark.parametrize(
    ("moved", "before", "expected"),
    [
        ("a4", "a1", ["a4", "a1", "a2", "a3"]),
        ("a1", None, ["a2", "a3", "a4", "a1"]),
        ("a1", "a4", ["a2", "a3", "a1", "a4"]),
        ("a2", "a2", ["a1", "a2", "a3", "a4"]),
    ],
)
def test_a_waiting_job_can_be_moved(busy, order, moved, before, expected):
    submit(busy, order, "a1", "a2", "a3", "a4")
    busy.move(moved, before)
    assert ids(busy) == expected


def test_moving_across_priorities_takes_the_priority_of_the_new_place(busy, order):
    submit(busy, order, "a1", "a2", "a3")
    submit(busy, order, "b1", "b2", priority=3)
    busy.move("a3", "b2")
    assert ids(busy) == ["b1", "a3", "b2", "a1", "a2"]
    busy.move("b1", None)
    assert ids(busy) == ["a3", "b2", "a1", "a2", "b1"]


def test_moving_the_same_places_again_and_again_never_gets_stuck(busy, order):
    submit(busy, order, "a1", "a2", "a3")
    for _ in range(100):
        busy.move("a3", "a2")
        assert ids(busy) == ["a1", "a3", "a2"]
        busy.move("a2", "a3")
        assert ids(busy) == ["a1", "a2", "a3"]


def test_jobs_in_the_same_turn_can_be_moved_between(busy, order):
    submit(busy, order, "a1", "b1", "c1", "d1")
    busy.move("d1", "b1")
    assert ids(busy) == ["a1", "d1", "b1", "c1"]


def test_a_running_job_cannot_be_moved(busy, order):
    submit(busy, order, "a1")
    with pytest.raises(WrongState, match="is running"):
        busy.move(busy.current().id)
    with pytest.raises(WrongState, match="is running"):
        busy.move("a1", busy.current().id)


def test_the_order_is_the_same_after_a_restart(busy, make_queue, gate, order, until):
    submit(busy, order, "a1", "a2", "b1", "c1")
    busy.move("c1", "a1")
    busy.set_priority("a2", 1)
    running, expected = busy.current().id, ids(busy)
    busy.close(10)
    after = make_queue()
    until(lambda: after.current() is not None)
    # What had begun goes on before the others of its priority.
    assert [after.current().id, *ids(after)] == ["a2", running, *expected[1:]]
