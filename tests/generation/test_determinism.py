"""The same request gives the same picture, whatever was drawn before, beside it, or read back from its text."""

import itertools
import json

import numpy as np
import pytest

from modules.infotext import read_infotext, to_request_values

from .drawing import pixels

LOUD = (
    ({"sampler_name": "Euler a", "tiling": True, "steps": 2}, {"randn_source": "NV", "eta_noise_seed_delta": 31}),
    (
        {"sampler_name": "DPM++ SDE", "enable_hr": True, "hr_scale": 1.5, "subseed_strength": 0.3, "subseed": 4},
        {"CLIP_stop_at_last_layers": 2, "emphasis": "No norm"},
    ),
    (
        {"sampler_name": "DDIM", "eta": 0.7, "cfg_scale": 1, "s_churn": 3, "prompt": "a (cat:1.3) AND a dog"},
        {"randn_source": "CPU", "comma_padding_backtrack": 0, "pad_cond_uncond": True},
    ),
)  # fmt: skip


def test_three_loud_requests_give_the_same_pictures_in_any_order(draw):
    alone = [pixels(draw(values, **settings))[0] for values, settings in LOUD]
    assert len({picture.tobytes() for picture in alone}) == 3
    for order in list(itertools.permutations(range(3)))[1:]:
        for k in order:
            values, settings = LOUD[k]
            assert np.array_equal(pixels(draw(values, **settings))[0], alone[k]), (order, k)


@pytest.mark.parametrize(
    "values",
    [
        {"sampler_name": "Euler"},
        {"sampler_name": "Euler a", "steps": 3},
        {"sampler_name": "DPM++ 2M SDE", "scheduler": "Karras", "steps": 3},
        {"sampler_name": "DPM++ SDE", "steps": 3},
        {"sampler_name": "LCM", "steps": 3},
        {"sampler_name": "DDIM", "eta": 1.0, "steps": 3},
        {"sampler_name": "UniPC", "steps": 3},
        {"sampler_name": "Restart", "steps": 3},
    ],
    ids=lambda values: values["sampler_name"],
)
def test_picture_k_of_a_batch_is_the_picture_made_alone(draw, values):
    batch = pixels(draw({**values, "batch_size": 3}))
    alone = pixels(draw({**values, "seed": 9}))
    assert np.abs(batch[2] - alone[0]).max() <= 1


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ SDE"])
def test_picture_k_of_a_batch_with_variations_has_the_seed_and_the_next_variation(draw, sampler):
    values = {"sampler_name": sampler, "subseed": 20, "subseed_strength": 0.4, "steps": 3}
    batch = pixels(draw({**values, "batch_size": 2, "n_iter": 2}))
    alone = pixels(draw({**values, "subseed": 23}))
    assert np.abs(batch[3] - alone[0]).max() <= 1


def test_batches_after_one_another_go_on_with_the_seeds(draw):
    one_by_one = pixels(draw({"n_iter": 3}))
    together = pixels(draw({"batch_size": 3}))
    assert all(np.abs(one - other).max() <= 1 for one, other in zip(one_by_one, together, strict=True))


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ({"sampler_name": "Euler a", "negative_prompt": "a dog,\nblurry"}, {}),
        ({"sampler_name": "DPM++ 2M", "scheduler": "Karras", "cfg_scale": 4.5}, {"randn_source": "NV"}),
        ({"enable_hr": True, "hr_scale": 1.5, "hr_second_pass_steps": 3, "denoising_strength": 0.55}, {}),
        (
            {"enable_hr": True, "hr_resize_x": 96, "hr_resize_y": 128, "hr_upscaler": "Lanczos", "hr_prompt": "a dog",
             "hr_sampler_name": "DDIM", "hr_negative_prompt": "a cat"},
            {},
        ),
        ({"sampler_name": "DDIM", "eta": 0.6, "scheduler": "Automatic"}, {"CLIP_stop_at_last_layers": 2}),
        ({"sampler_name": "Euler", "tiling": True}, {"emphasis": "Ignore", "s_churn": 5.0, "s_noise": 1.1}),
        ({"subseed": 5, "subseed_strength": 0.25, "seed_resize_from_w": 128, "seed_resize_from_h": 64}, {}),
        ({"sampler_name": "DPM2 a", "eta": 0.5, "scheduler": "Exponential"}, {"eta_noise_seed_delta": 31337}),
        ({"sampler_name": "UniPC", "steps": 4, "prompt": "a [cat:dog:0.5], (red:1.2)"}, {"uni_pc_order": 2}),
        ({"sampler_name": "DPM++ 2M SDE", "s_min_uncond": 3.0, "steps": 4}, {"pad_cond_uncond": True, "sgm_noise_multiplier": True}),
    ],
)  # fmt: skip
def test_a_picture_is_drawn_again_from_its_own_text(draw, house, values, settings):
    first = draw({**values, "prompt": values.get("prompt", "a cat")}, **settings)
    skip = house.store.options.infotext_skip_pasting
    found = to_request_values(read_infotext(first.pictures[0].infotext), skip=skip)
    again = draw(found, **found.pop("override_settings"))
    assert np.array_equal(pixels(again)[0], pixels(first)[0])
    assert again.pictures[0].infotext == first.pictures[0].infotext


def test_changing_the_checkpoint_and_back_gives_the_same_bits(draw):
    before = pixels(draw())[0]
    other = pixels(draw({}, sd_model_checkpoint="tiny-sd1-b"))[0]
    assert not np.array_equal(before, other)
    assert np.array_equal(pixels(draw())[0], before)


def test_the_facts_about_a_run_name_every_pictures_seed(draw):
    result = draw({"batch_size": 2, "n_iter": 2})
    info = json.loads(result.info_json(["a note"]))
    assert info["all_seeds"] == [7, 8, 9, 10] == [picture.seed for picture in result.pictures]
    assert info["notes"] == ["a note"]
    assert "notes" not in json.loads(result.info_json())


@pytest.mark.parametrize(
    ("request_values", "settings", "save", "first_is_grid"),
    [
        ({"batch_size": 2}, {}, True, True),
        ({"n_iter": 2}, {}, True, True),
        ({"batch_size": 1}, {}, True, False),
        ({"batch_size": 2}, {}, False, False),
        ({"batch_size": 2}, {"return_grid": False}, True, False),
        ({"batch_size": 2, "do_not_save_grid": True}, {}, True, True),
    ],
)
def test_a_grid_comes_first_where_several_pictures_are_saved(
    draw, tmp_path, request_values, settings, save, first_is_grid
):
    places = {"outdir_samples": str(tmp_path / "samples"), "outdir_grids": str(tmp_path / "grids")}
    result = draw(request_values, save=save, **places, **settings)
    assert result.pictures[0].is_grid is first_is_grid
    assert json.loads(result.info_json())["index_of_first_image"] == int(first_is_grid)
    several = len(result.pictures) > 1
    files = list((tmp_path / "grids").rglob("*.png"))
    assert len(files) == int(save and several and not request_values.get("do_not_save_grid"))
