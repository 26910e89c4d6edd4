"""Pictures of all kinds are made again bit for bit from what they carry."""

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from modules.proof import VerdictKind, verify_picture

HIRES = {"enable_hr": True, "hr_scale": 1.5}
REQUESTS = {
    "an SDE": ({"sampler_name": "DPM++ SDE", "steps": 3}, {}),
    "a batch of an SDE with Karras": ({"sampler_name": "DPM++ 2M SDE", "scheduler": "Karras", "batch_size": 3}, {}),
    "several batches": ({"sampler_name": "Euler a", "batch_size": 2, "n_iter": 2}, {}),
    "several exact batches": ({"sampler_name": "Euler a", "batch_size": 3, "n_iter": 2}, {"exact_batches": True}),
    "DDIM with eta": ({"sampler_name": "DDIM", "eta": 0.7}, {}),
    "UniPC of another order": ({"sampler_name": "UniPC", "steps": 4}, {"uni_pc_order": 2, "uni_pc_variant": "bh2"}),
    "churn": ({"sampler_name": "Heun", "s_churn": 5.0, "s_noise": 1.1}, {"s_tmin": 0.2}),
    "variations": ({"subseed": 9, "subseed_strength": 0.3, "batch_size": 2, "n_iter": 2}, {}),
    "a seed from another size": ({"seed_resize_from_w": 128, "seed_resize_from_h": 64, "seed": 2**40}, {}),
    "styles": ({"styles": ["red", "plain"], "negative_prompt": "a bird"}, {}),
    "a scheduled prompt": ({"prompt": "a [cat:dog:0.5] AND (red:1.3) # aside", "steps": 4}, {"emphasis": "No norm"}),
    "noise of the processor and ENSD": (
        {"sampler_name": "Euler a", "override_settings": {"randn_source": "CPU", "eta_noise_seed_delta": 31337}},
        {"eta_noise_seed_delta": 31337, "randn_source": "NV"},
    ),
    "clip skip": ({}, {"CLIP_stop_at_last_layers": 2}),
    "tiling": ({"tiling": True, "width": 96}, {}),
    "tiling by setting": ({}, {"tiling": True}),
    "hires with latents": ({**HIRES, "hr_second_pass_steps": 3, "batch_size": 2}, {}),
    "hires with pictures": ({**HIRES, "hr_upscaler": "Lanczos", "batch_size": 2}, {}),
    "hires of its own": (
        {**HIRES, "hr_sampler_name": "DDIM", "hr_prompt": "a dog", "hr_negative_prompt": "a cat",
         "hr_resize_x": 96, "hr_resize_y": 128, "denoising_strength": 0.5},
        {},
    ),
    "hires by another checkpoint": ({**HIRES, "hr_checkpoint_name": "tiny-sd1-b", "hr_upscaler": "Nearest"}, {}),
    "another VAE": ({"negative_prompt": "a dog"}, {"sd_vae": "tiny-vae.safetensors"}),
    "another VAE for both checkpoints": ({**HIRES, "hr_checkpoint_name": "tiny-sd1-b"}, {"sd_vae": "tiny-vae.safetensors"}),
    "an inpainting checkpoint": ({}, {"sd_model_checkpoint": "tiny-sd1-inpainting", "inpainting_mask_weight": 0.5}),
    "attention in slices, wide": ({"width": 128}, {"cross_attention_optimization": "V1", "upcast_attn": False}),
    "wide attention": ({}, {"upcast_attn": True}),
    "habits": (
        {"negative_prompt": "x, " * 60},
        {"use_old_karras_scheduler_sigmas": True, "s_min_uncond": 2.0, "pad_cond_uncond": True},
    ),
}  # fmt: skip


def verdicts(studio, files: list[Path]) -> dict[str, str]:
    """What is said of each file that does not come out bit for bit as it is, without a word of doubt."""
    found = {path.name: verify_picture(path, studio.engine) for path in files}
    return {
        name: f"{verdict.kind}: {verdict.sentence} {verdict.differences}"
        for name, verdict in found.items()
        if verdict.kind is not VerdictKind.SAME_BITS or verdict.differences or verdict.notes
    }


@pytest.mark.parametrize("name", REQUESTS)
def test_every_picture_and_grid_comes_out_bit_for_bit(make, studio, name):
    values, settings = REQUESTS[name]
    files = make(values, save_images_before_highres_fix=True, **settings)
    pictures = values.get("batch_size", 1) * values.get("n_iter", 1)
    assert len(files) == pictures * (2 if "enable_hr" in values else 1) + (pictures > 1)
    assert verdicts(studio, files) == {}


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif"])
def test_a_lossy_file_is_proved_by_what_was_drawn(make, studio, extension):
    settings = {"samples_format": extension, "grid_format": extension, "jpeg_quality": 60}
    assert verdicts(studio, make({"batch_size": 2}, **settings)) == {}


def test_lossless_webp_is_taken_for_what_it_is(make, studio):
    [path] = make({}, samples_format="webp", webp_lossless=True)
    assert verify_picture(path, studio.engine).sentence.startswith("The same bits: ")


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_that_decided_the_bits_is_taken_again(make, studio, threads):
    before = torch.get_num_threads()
    try:
        [path] = make(cpu_threads=min(threads, os.cpu_count()))
        torch.set_num_threads(threads % 3 + 1)
        assert verdicts(studio, [path]) == {}
        assert torch.get_num_threads() == threads % 3 + 1
    finally:
        torch.set_num_threads(before)


def test_a_style_counts_as_it_was(make, studio):
    [path] = make({"styles": ["red"]})
    studio.styles.save("red", "green {prompt}", "yellow")
    try:
        assert verdicts(studio, [path]) == {}
    finally:
        studio.styles.save("red", "red {prompt}, bright", "blue")


def test_an_opened_picture_is_as_good_as_a_file(make, studio):
    [path] = make()
    with Image.open(path) as image:
        assert verify_picture(image, studio.engine).kind is VerdictKind.SAME_BITS
    with path.open("rb") as file:
        assert verify_picture(file, studio.engine).kind is VerdictKind.SAME_BITS
