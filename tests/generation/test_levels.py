"""The noise levels that a model is drawn at, and settings of older versions."""

from types import SimpleNamespace

import numpy as np
import torch

from modules.checkpoints import Family
from modules.generation.passes import levels_of
from modules.sampling import Prediction

from .drawing import Recorder, pixels

BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
MODEL = SimpleNamespace(
    alphas_cumprod=torch.cumprod(1 - BETAS, 0).float(), prediction=Prediction.EPSILON, family=Family.SD1
)


def test_rounded_levels_are_those_of_alphas_in_half_precision():
    alphas = MODEL.alphas_cumprod.numpy().astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(
        levels_of(MODEL, rounded=True).sigmas, np.sqrt((1 - alphas) / alphas), rtol=1e-6
    )
    assert levels_of(MODEL, rounded=True).sigmas != levels_of(MODEL).sigmas


def test_settings_of_older_versions_are_told_in_the_text(draw):
    made = draw(use_downcasted_alpha_bar=True, pad_cond_uncond_v0=True, use_old_scheduling=True)
    fields = ("Downcast alphas_cumprod", "Pad conds v0", "Old prompt editing timelines")
    assert all(f"{field}: True" in made.pictures[0].infotext for field in fields)


def test_whole_times_are_those_of_the_nearest_levels():
    table, whole = levels_of(MODEL), levels_of(MODEL, whole_times=True)
    for time in (3.2, 480.49, 480.51, 998.7):
        [sigma] = table.times_to_sigmas(torch.tensor([time])).tolist()
        assert whole.sigma_to_time(sigma) == round(time) == whole.scaling(sigma).time


def test_a_request_that_names_no_schedule_has_that_of_the_older_setting(draw):
    values = {"sampler_name": "DPM++ 2M", "steps": 3}
    older = draw(values, k_sched_type="exponential")
    assert "Schedule type: Exponential" in older.pictures[0].infotext
    named = draw({**values, "scheduler": "Exponential"}, k_sched_type="polyexponential")
    assert np.array_equal(pixels(older)[0], pixels(named)[0])
    joined = draw({**values, "sampler_name": "DPM++ 2M Karras"}, k_sched_type="exponential")
    assert "Schedule type: Karras" in joined.pictures[0].infotext


def test_a_setting_that_would_change_the_result_and_is_not_known_is_named(draw):
    watcher = Recorder()
    draw(watcher=watcher, return_mask=True, sd_vae_decode_method="Full")
    assert [note.split()[2] for note in watcher.notes] == ["return_mask"]
