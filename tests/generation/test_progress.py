"""Progress and previews: what a run tells while it draws."""

import numpy as np
import pytest
import torch

from modules.generation.autoencoder import decode, encode
from modules.generation.preview import LinearPreview

from .drawing import Recorder


@pytest.mark.parametrize(
    "request_values",
    [
        {"sampler_name": "Euler", "steps": 3, "n_iter": 2},
        {"sampler_name": "DDIM", "steps": 7},
        {"sampler_name": "PLMS", "steps": 3},
        {"sampler_name": "UniPC", "steps": 6},
        {"sampler_name": "DPM adaptive", "steps": 4},
        {"sampler_name": "DPM fast", "steps": 5},
        {"sampler_name": "Restart", "steps": 3},
        {"sampler_name": "Heun", "steps": 3},
        {"enable_hr": True, "hr_scale": 1.5, "steps": 3, "hr_second_pass_steps": 2, "n_iter": 2},
        {"enable_hr": True, "hr_scale": 1, "steps": 2, "denoising_strength": 0, "sampler_name": "DDIM"},
    ],
    ids=lambda values: " ".join(map(str, values.values())),
)
def test_progress_rises_to_the_total_and_never_falls(draw, request_values):
    watcher = Recorder()
    draw(request_values, watcher)
    done = [report.done for report in watcher.reports]
    totals = {report.total for report in watcher.reports}
    assert done == sorted(done)
    assert totals == {done[-1]}


@pytest.mark.parametrize("watcher", [Recorder(stop_at=5), Recorder(skip_at=1), Recorder(skip_at=5)])
def test_progress_never_falls_or_passes_the_total_when_a_run_is_stopped_or_skipped(draw, watcher):
    draw({"n_iter": 3, "steps": 4, "enable_hr": True, "hr_scale": 1}, watcher)
    done = [report.done for report in watcher.reports]
    assert done == sorted(done)
    assert max(done) <= watcher.reports[0].total == 24


def test_no_preview_is_made_when_nobody_looks(draw):
    watcher = Recorder(looks=False)
    draw({"steps": 4}, watcher)
    assert watcher.previews == []


@pytest.mark.parametrize("kind", ["Approx cheap", "Approx NN", "TAESD", "Full"])
def test_previews_have_the_pictures_size(draw, kind):
    watcher = Recorder(looks=True)
    draw({"steps": 3, "width": 128, "height": 64}, watcher, show_progress_type=kind)
    assert [preview.size for preview in watcher.previews] == [(128, 64)] * 3


def test_previews_of_a_batch_are_one_sheet_by_setting(draw):
    sizes = []
    for wanted in (True, False):
        watcher = Recorder(looks=True)
        draw({"steps": 1, "batch_size": 3}, watcher, show_progress_grid=wanted)
        sizes.append(watcher.previews[0].size)
    assert sizes == [(128, 128), (64, 64)]


def test_the_full_preview_of_the_last_step_is_the_picture(draw):
    watcher = Recorder(looks=True)
    result = draw({"steps": 3, "scheduler": "Karras"}, watcher, show_progress_type="Full")
    picture = np.asarray(result.pictures[0].image, dtype=int)
    assert np.abs(np.asarray(watcher.previews[-1], dtype=int) - picture).max() <= 1


def test_looking_does_not_change_the_picture(draw):
    unseen = draw({"sampler_name": "Euler a"}).pictures[0].image
    seen = draw({"sampler_name": "Euler a"}, Recorder(looks=True), show_progress_type="Full")
    assert np.array_equal(np.asarray(unseen), np.asarray(seen.pictures[0].image))


def test_the_linear_map_goes_the_way_the_vae_goes(draw, house):
    """Its colours rise and fall with the decoder's, on latents of a picture that it was not fitted to."""
    draw()
    model = house.engine.model
    with torch.inference_mode():
        linear = LinearPreview(model)
        latent = encode(
            model, torch.rand(1, 3, 8, 8).mul(2).sub(1).repeat_interleave(16, 2).repeat_interleave(16, 3)
        )[0]
        decoded = decode(model, latent, note=lambda _: None)
    exact = torch.nn.functional.avg_pool2d(decoded.clamp(-1, 1), 8).flatten().numpy()
    approximate = np.moveaxis(np.asarray(linear(latent), dtype=float), 2, 0).ravel()
    assert np.corrcoef(exact, approximate)[0, 1] > 0.5
    assert 0 < linear.residual < 0.6


def test_a_preview_of_latents_that_are_no_numbers_does_not_end_the_run(house):
    linear = LinearPreview(house.engine.model)
    latent = torch.full((house.engine.model.latent_channels, 8, 8), float("nan"))
    assert linear(latent).size == (8, 8)
