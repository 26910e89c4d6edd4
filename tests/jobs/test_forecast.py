"""How long jobs will take is told from the speed of like jobs."""

import pytest

from modules.jobs import Job, JobState, cost_of
from modules.jobs.forecast import Forecast


def job(order, seconds=0.0, state=JobState.WAITING) -> Job:
    return Job("a", order, cost=cost_of(order), state=state, seconds=seconds)


@pytest.mark.parametrize(
    ("values", "times"),
    [
        ({"n_iter": 3}, 3),
        ({"batch_size": 2}, 2),
        ({"steps": 4}, 2),
        ({"width": 128, "height": 128}, 4),
        ({"enable_hr": True, "hr_scale": 2.0, "hr_second_pass_steps": 2}, 5),
    ],
)
def test_the_cost_grows_with_the_work(order, values, times):
    assert cost_of(order(values)) == pytest.approx(times * cost_of(order()))


def test_nothing_is_known_before_the_first_job_is_done(order):
    assert Forecast().seconds_until(job(order()), []) is None


def test_a_job_takes_as_long_as_like_jobs_took(order):
    forecast = Forecast()
    for seconds in (2.0, 3.0, 90.0):
        forecast.learn(job(order(), seconds, JobState.DONE))
    assert forecast.seconds_of(job(order())) == pytest.approx(3.0)
    assert forecast.seconds_of(job(order({"n_iter": 5}))) == pytest.approx(15.0)


def test_the_likest_jobs_count(order):
    forecast = Forecast()
    forecast.learn(job(order(sd_model_checkpoint="slow"), 50.0, JobState.DONE))
    forecast.learn(job(order(), 2.0, JobState.DONE))
    assert forecast.seconds_of(job(order())) == pytest.approx(2.0)
    assert forecast.seconds_of(job(order(sd_model_checkpoint="slow"))) == pytest.approx(50.0)


def test_failed_jobs_teach_nothing(order):
    forecast = Forecast()
    forecast.learn(job(order(), 2.0, JobState.FAILED))
    assert forecast.seconds_of(job(order())) is None


def test_those_that_are_ahead_come_first(order):
    forecast = Forecast()
    forecast.learn(job(order(), 2.0, JobState.DONE))
    assert forecast.seconds_until(job(order()), [job(order()), job(order({"n_iter": 2}))]) == pytest.approx(
        8.0
    )
    assert forecast.seconds_until(job(order(), 2.0, JobState.DONE), []) == 0.0


def test_the_queue_tells_of_every_job(queue, gate, order, until):
    gate.open.set()
    assert queue.wait(queue.submit(order()), 30)
    gate.open.clear()
    jobs = [queue.submit(order()) for _ in range(3)]
    until(lambda: queue.current() is jobs[0])
    forecasts = [queue.forecast(each) for each in jobs]
    assert all(each is not None and each >= 0 for each in forecasts)
    assert forecasts == sorted(forecasts)
