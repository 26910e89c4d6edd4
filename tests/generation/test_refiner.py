"""Another checkpoint takes over in the middle."""

import numpy as np
import pytest

from modules.errors import NotFound
from modules.generation import parse_txt2img

from .drawing import TINY, pixels

REFINER = "tiny-sd1-b.safetensors"


STEPS = {"steps": 4}


def same(one, other) -> bool:
    return all(map(np.array_equal, pixels(one), pixels(other)))


@pytest.mark.parametrize("sampler", ["Euler a", "DDIM"])
def test_one_that_takes_over_at_the_start_draws_all_and_one_at_the_end_nothing(sampler, draw):
    values = {**STEPS, "sampler_name": sampler, "refiner_checkpoint": REFINER}
    at_start = draw({**values, "refiner_switch_at": 0.0})
    at_end = draw({**values, "refiner_switch_at": 1.0})
    between = draw({**values, "refiner_switch_at": 0.5})
    alone = draw({**STEPS, "sampler_name": sampler})
    assert same(at_start, draw({**STEPS, "sampler_name": sampler}, sd_model_checkpoint=REFINER))
    assert same(at_end, alone)
    assert not same(between, alone) and not same(between, at_start)
    assert "Refiner: tiny-sd1-b [" in between.pictures[0].infotext
    assert "Refiner" not in at_end.pictures[0].infotext
    # The next picture is the first checkpoint's again.
    assert same(draw({**STEPS, "sampler_name": sampler}), alone)


def test_a_hires_run_has_it_in_the_passes_that_the_setting_names(draw):
    values = {
        **STEPS,
        "enable_hr": True,
        "hr_scale": 1.5,
        "refiner_checkpoint": REFINER,
        "refiner_switch_at": 0.6,
    }
    plain = draw({**values, "refiner_checkpoint": ""})
    drawn = [
        draw(values, hires_fix_refiner_pass=which) for which in ("first pass", "second pass", "both passes")
    ]
    assert not any(same(plain, each) for each in drawn)
    assert not same(drawn[0], drawn[1]) and not same(drawn[1], drawn[2])
    assert "Hires refiner: first pass" in drawn[0].pictures[0].infotext


def test_counted_by_steps_it_begins_at_that_share_of_them(draw):
    values = {**STEPS, "refiner_checkpoint": REFINER, "sampler_name": "Euler", "scheduler": "Karras"}
    by_steps = [
        draw({**values, "refiner_switch_at": share}, refiner_switch_by_sample_steps=True)
        for share in (0.5, 0.4, 0.51)
    ]
    # 4 steps: 0.4 and 0.5 are both reached with the third.
    assert same(by_steps[0], by_steps[1])
    assert not same(by_steps[0], by_steps[2])


def test_one_that_is_not_there_is_said_before_anything_is_drawn(house):
    request = parse_txt2img({**TINY, "refiner_checkpoint": "nowhere", "refiner_switch_at": 0.5})
    with pytest.raises(NotFound, match="nowhere"):
        house.engine.order(request, house.store.options, house.styles)


def test_the_text_of_a_grid_names_the_refiner_too(draw):
    values = {**STEPS, "refiner_checkpoint": REFINER, "refiner_switch_at": 0.5, "batch_size": 2}
    made = draw(values, save=True)
    assert [picture.is_grid for picture in made.pictures] == [True, False, False]
    assert all("Refiner: tiny-sd1-b [" in picture.infotext for picture in made.pictures)


def test_one_of_the_same_checkpoint_is_not_told_of(draw):
    made = draw({**STEPS, "refiner_checkpoint": "tiny-sd1", "refiner_switch_at": 0.2})
    assert "Refiner" not in made.pictures[0].infotext
