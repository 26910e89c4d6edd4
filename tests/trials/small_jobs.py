"""A queue of small jobs of many kinds, and the data folder they need."""

import json
from pathlib import Path
from typing import Any

__all__ = ["make_data_folder", "small_jobs"]

SETTINGS = {
    "sd_model_checkpoint": "tiny-sd1",
    # By the date, a run over midnight would have other folders.
    "directories_filename_pattern": "[steps] steps",
    # Kills at random moments are no fault of the job that they hit.
    "queue_crash_limit": 100,
}
STYLES = 'name,prompt,negative_prompt\nsoft,"{prompt}, soft light",hard edges\nred,a red thing,\n'

PLAIN = {
    "prompt": "a cat",
    "steps": 3,
    "width": 64,
    "height": 64,
    "sampler_name": "Euler",
    "save_images": True,
}
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"batch_size": 3, "sampler_name": "Euler a"},
    {"n_iter": 4, "steps": 2},
    {"prompt": "a dog", "batch_size": 2, "n_iter": 2, "override_settings": {"save_txt": True, "exact_batches": True}},
    {
        "enable_hr": True, "hr_scale": 1.5, "steps": 2, "n_iter": 2, "denoising_strength": 0.6,
        "override_settings": {"save_images_before_highres_fix": True, "export_for_4chan": True, "target_side_length": 48},
    },
    {"save_images": False, "batch_size": 2, "n_iter": 2, "prompt": "only for the caller"},
    {"n_iter": 3, "steps": 2, "prompt": "a fox " * 40, "override_settings": {"samples_format": "jpg", "grid_format": "jpg", "jpeg_quality": 91}},
    {"styles": ["soft", "red"], "n_iter": 2, "steps": 4, "sampler_name": "DPM++ SDE"},
    {"sampler_name": "DDIM", "eta": 0.8, "steps": 4, "subseed": 3, "subseed_strength": 0.4, "batch_size": 2},
    {"prompt": "a bird", "n_iter": 2, "override_settings": {"sd_model_checkpoint": "tiny-sd1-b", "CLIP_stop_at_last_layers": 2}},
    {"n_iter": 3, "steps": 2, "override_settings": {"samples_save": False}},
    {"n_iter": 3, "steps": 2, "override_settings": {"save_images_add_number": False, "save_to_dirs": False}},
)  # fmt: skip


def small_jobs(rounds: int) -> dict[str, dict[str, Any]]:
    """Every kind of job so many times over, with seeds of its own: requests by a name."""
    return {
        f"job {turn}-{number}": {**PLAIN, **kind, "seed": 1000 * turn + 10 * number + 1}
        for turn in range(rounds)
        for number, kind in enumerate(KINDS)
    }


def make_data_folder(data: Path) -> Path:
    """A fresh data folder with the settings and styles of the trials."""
    data.mkdir(parents=True)
    (data / "config.json").write_text(json.dumps(SETTINGS))
    (data / "styles.csv").write_text(STYLES)
    return data
