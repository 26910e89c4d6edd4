"""Jobs that name a file over which the program died: set aside if they ran, else held; never just tried."""

import dataclasses
import os

import pytest

from modules.jobs import JobState, QueueRules
from modules.jobs.job import Job
from modules.jobs.office import _left_alone_for
from modules.jobs.recovery import after_a_crash
from modules.readings import READINGS, Readings

USUAL = QueueRules()
PATIENT = dataclasses.replace(USUAL, crash_limit=100)


@pytest.fixture
def boom(tmp_path):
    """A file that a process was reading when it died."""
    path = tmp_path / "boom.safetensors"
    path.write_bytes(b"model")
    dead = Readings()
    dead._process = f"{os.uname().nodename if hasattr(os, 'uname') else 'here'}-4194305-1"
    dead.open(tmp_path / "readings")
    dead.begin(path)
    READINGS.open(tmp_path / "readings")
    yield path
    READINGS.close()


@pytest.fixture
def recovered(order):
    """A job as a start finds it in the database, once it was decided about it."""

    def recovered(state, rules=USUAL, values=None, **settings):
        job = Job("one", order(values, **settings), state=state)
        after_a_crash(job, rules, _left_alone_for(job, rules))
        return job

    return recovered


def test_a_job_that_ran_is_set_aside_with_a_sentence_about_the_file(boom, recovered):
    job = recovered(JobState.RUNNING, sd_model_checkpoint="boom.safetensors [0123456789]")
    assert job.state is JobState.FAILED
    assert "boom.safetensors was being read when the program died" in str(job.error)


@pytest.mark.parametrize(
    "named",
    [
        {"sd_model_checkpoint": "boom"},
        {"sd_vae": "boom.safetensors"},
        {"values": {"prompt": "a <lora:boom:1> cat"}},
        {"values": {"prompt": "a cat, (boom:1.2)"}},
        {"values": {"hr_checkpoint_name": "boom.safetensors"}},
        {"values": {"refiner_checkpoint": "sub/boom.safetensors"}},
    ],
)
def test_a_job_that_waits_for_the_file_waits_for_a_persons_word(boom, recovered, named):
    job = recovered(JobState.WAITING, **named)
    assert (job.state, job.held) == (JobState.WAITING, True)


def test_jobs_of_other_files_go_on(boom, recovered):
    waits, ran = recovered(JobState.WAITING), recovered(JobState.RUNNING)
    assert (waits.state, waits.held) == (ran.state, ran.held) == (JobState.WAITING, False)


def test_who_has_jobs_tried_more_often_than_usual_has_the_file_read_again(boom, recovered):
    job = recovered(JobState.RUNNING, PATIENT, sd_model_checkpoint="boom")
    assert (job.state, job.held, job.crashes) == (JobState.WAITING, False, 1)
    assert not READINGS.is_left_alone(boom)
