"""Whose turn it is: fair between clients by the work they ask for, and never by a clock."""

from hypothesis import given
from hypothesis import strategies as st

from modules.jobs.turns import Turns, turn_between


def served(requests: list[tuple[str, float]]) -> list[str]:
    """The order in which the clients are served whose requests (client, cost) all came at once."""
    turns = Turns()
    queue = [(turns.take(client, cost), number, client) for number, (client, cost) in enumerate(requests)]
    return [client for _, _, client in sorted(queue)]


def test_a_client_with_one_job_need_not_wait_for_the_hundred_of_another():
    assert served([("a", 1)] * 100 + [("b", 1)])[:3] == ["a", "b", "a"]


def test_clients_with_like_jobs_take_turns():
    assert served([("a", 1)] * 3 + [("b", 1)] * 3 + [("c", 1)] * 3) == ["a", "b", "c"] * 3


def test_large_jobs_count_for_more_than_small_ones():
    order = served([("a", 10)] * 3 + [("b", 1)] * 20)
    assert order[:12] == ["a"] + ["b"] * 10 + ["a"]


def test_a_client_that_was_idle_has_saved_up_nothing():
    turns = Turns()
    for _ in range(10):
        turns.begin(turns.take("a", 1))
    late = [turns.take("b", 1) for _ in range(3)]
    assert min(late) >= turns.now
    assert late[1] >= turns.take("a", 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.01, 50)), min_size=1, max_size=60))
def test_while_all_wait_nobody_is_ahead_by_more_than_a_job_of_each(requests):
    order = served(requests)
    costs = {name: iter([cost for client, cost in requests if client == name]) for name in "abc"}
    left = {name: sum(client == name for client, _ in requests) for name in "abc"}
    work = dict.fromkeys("abc", 0.0)
    largest = max(cost for _, cost in requests)
    for client in order:
        work[client] += next(costs[client])
        left[client] -= 1
        waiting = [name for name in "abc" if left[name]]
        if client in waiting:
            assert all(work[client] - work[other] <= 2 * largest + 1e-6 for other in waiting)


def test_a_restart_takes_up_where_the_last_program_stopped():
    before = Turns()
    left = [("a", before.take("a", 2), 2.0) for _ in range(3)]
    after = Turns()
    after.remember(left)
    assert after.take("a", 1) == before.take("a", 1)
    assert after.take("b", 1) == 0.0


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_turn_between_two_others_lies_between_or_there_is_none(one, other):
    before, after = sorted((one, other))
    turn = turn_between(before, after)
    assert turn is None or before < turn < after


def test_a_turn_at_an_end_lies_beyond_it():
    assert turn_between(None, 3.0) < 3.0 < turn_between(3.0, None)
    assert turn_between(None, None) > 0
    assert turn_between(1.0, 1.0) is None
