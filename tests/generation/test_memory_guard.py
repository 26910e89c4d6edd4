"""What cannot fit into the memory is refused before it is accepted, with the size that would."""

import re

import pytest

from modules.generation import guard
from modules.memory import NotEnoughMemory

from .drawing import TINY

GIB = 1 << 30


@pytest.fixture
def small_machine(monkeypatch):
    """A function that gives the machine as many bytes as it is told."""

    def have(room: int) -> None:
        monkeypatch.setattr(guard, "memory_for_us", lambda device: room)

    return have


def asked(client, **values):
    request = {**TINY, "override_settings": {"sd_model_checkpoint": "tiny-sd1"}, **values}
    return client.post("/sdapi/v1/txt2img", json=request)


def test_a_request_that_cannot_fit_is_refused_with_the_size_that_would(client, house, small_machine):
    small_machine(4 * GIB)
    jobs = len(house.queue.jobs())
    answer = asked(client, width=8192, height=4096, batch_size=8)
    body = answer.json()
    assert answer.status_code == 422
    assert (body["error"], body["field"]) == ("NotEnoughMemory", "width")
    told = re.search(
        r"8 pictures at once of 8192x4096 need about ([\d.]+) GiB .* can have 4.0 GiB.* (\d+)x(\d+)\.",
        body["detail"],
    )
    needed, width, height = float(told[1]), int(told[2]), int(told[3])
    numbers = body["memory"]
    assert numbers == {
        "needed": pytest.approx(needed * GIB, rel=0.01), "available": 4 * GIB, "width": width, "height": height,
        "given_pixels": None,
    }  # fmt: skip
    assert needed > 10
    assert 512 < width < 8192
    assert 0 <= width - 2 * height < 16
    assert len(house.queue.jobs()) == jobs


def test_the_setting_switches_the_forecast_off(draw, small_machine):
    small_machine(GIB // 8)
    with pytest.raises(NotEnoughMemory, match="smallest of that shape"):
        draw({})
    assert len(draw({}, memory_forecast=False).pictures) == 1


def test_the_hires_pass_counts(draw, small_machine):
    small_machine(3 * GIB)
    values = {"width": 2048, "height": 1024, "enable_hr": True, "denoising_strength": 0.5}
    with pytest.raises(NotEnoughMemory, match="2048x1024 and then 4096x2048"):
        draw(values, vae_strips="Never")


def test_what_fits_is_drawn_however_close_it_is(draw, house, small_machine):
    """A bound so low that only the exact forecast lets it pass."""
    run = draw({}).run
    options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"})
    attention = guard.AttentionKind.AUTOMATIC
    told = house.engine.guard.forecast(run, house.engine.checkpoint_of(options), attention)
    small_machine(told.peak)
    assert len(draw({}).pictures) == 1
    small_machine(told.peak // 2)
    with pytest.raises(NotEnoughMemory):
        draw({})
