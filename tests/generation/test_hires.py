"""Sizes of the second pass, and what each picture of a batch brings into it."""

import numpy as np
import pytest
import torch
from PIL import Image

from modules.generation import parse_txt2img
from modules.generation.autoencoder import (
    decode,
    decode_to_picture,
    encode,
    picture_to_tensor,
    posterior_draws,
)
from modules.generation.hires import HiresSize, cut_latent, resize_latent, size_of_second_pass
from modules.generation.second_pass import enlarge

from .drawing import pixels


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"hr_scale": 2}, HiresSize(1024, 512, 1024, 512)),
        ({"hr_scale": 1.3}, HiresSize(665, 332, 665, 332)),
        ({"hr_resize_x": 768}, HiresSize(768, 384, 768, 384)),
        ({"hr_resize_y": 384}, HiresSize(768, 384, 768, 384)),
        ({"hr_resize_x": 768, "hr_resize_y": 768}, HiresSize(768, 768, 1536, 768)),
        ({"hr_resize_x": 1024, "hr_resize_y": 256}, HiresSize(1024, 256, 1024, 512)),
    ],
)
def test_the_second_pass_has_the_size_that_was_asked_for(values, size):
    assert size_of_second_pass(parse_txt2img({"width": 512, "height": 256, **values})) == size


def test_a_latent_that_covers_more_is_cut_on_both_sides_the_end_losing_the_odd_cell():
    size = HiresSize(width=64, height=64, scaled_width=88, scaled_height=64)
    latent = torch.arange(11.0).expand(1, 4, 8, 11)
    cut = cut_latent(latent, size)
    assert cut.shape == (1, 4, 8, 8)
    assert cut[0, 0, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_latent_is_resized_to_the_scaled_size():
    size = HiresSize(128, 64, 128, 64)
    assert resize_latent(torch.zeros(2, 4, 4, 4), size, "bilinear", False).shape == (2, 4, 8, 16)


def test_each_picture_of_a_batch_keeps_its_own_masked_picture_whatever_parts_its_prompt_has(draw):
    """An inpainting checkpoint sees, in the hires pass, what the mask's weight leaves of each picture."""
    values = {
        "prompt": "a cat AND a dog AND a bird",
        "enable_hr": True,
        "hr_scale": 1.5,
        "hr_upscaler": "Nearest",
        "denoising_strength": 0.2,
    }
    settings = {"sd_model_checkpoint": "tiny-sd1-inpainting", "inpainting_mask_weight": 0.1}
    batch = pixels(draw({**values, "batch_size": 2}, **settings))
    alone = pixels(draw(values, **settings))
    assert np.abs(batch[0] - alone[0]).max() <= 1


HIRES = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.5}


def test_extra_noise_acts_in_the_hires_pass_too_and_is_written_down(draw):
    plain, noisier = (draw(HIRES, img2img_extra_noise=share) for share in (0.0, 0.5))
    assert np.abs(pixels(plain)[0] - pixels(noisier)[0]).mean() > 1
    assert "Extra noise: 0.5" in noisier.pictures[0].infotext
    assert "Extra noise" not in plain.pictures[0].infotext
    first_passes = [draw(img2img_extra_noise=share) for share in (0.0, 0.5)]
    assert np.array_equal(*(pixels(each)[0] for each in first_passes))


@pytest.mark.parametrize("asked", ["tiny-sd1-b", "tiny-sd1-b.safetensors"])
def test_the_text_names_the_checkpoint_of_the_hires_pass_with_its_hash(draw, house, asked):
    made = draw({**HIRES, "hr_checkpoint_name": asked})
    file = house.engine.shelf.find(asked)
    assert f"Hires checkpoint: {file.stem} [{file.sha256[:10]}]" in made.pictures[0].infotext


@pytest.mark.parametrize("weight", [1.0, 0.4])
@torch.inference_mode()
def test_after_a_latent_upscaler_an_inpainting_checkpoint_sees_what_its_mask_leaves_of_each_picture(
    draw, house, weight
):
    settings = {"sd_model_checkpoint": "tiny-sd1-inpainting", "inpainting_mask_weight": weight}
    run = draw(HIRES, **settings).run
    model, told = house.engine.model, []
    latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    start = enlarge(model, model, run, run.hires, latents, [1, 2], told.append)
    shown = torch.stack([decode(model, latent, told.append) for latent in start.latents]) * (1 - weight)
    mask, seen = start.extra_input[:, :1], start.extra_input[:, 1:]
    assert (mask == 1).all() and start.latents.shape == (2, 4, 12, 12)
    torch.testing.assert_close(seen, encode(model, shown)[: len(seen)])


@torch.inference_mode()
def test_a_picture_is_encoded_at_the_very_size_that_the_factor_gives(draw, house):
    """64 times 1.3 are 83 pixels, of which the encoder makes 10 cells."""
    run = draw({**HIRES, "hr_scale": 1.3, "hr_upscaler": "None", "denoising_strength": 0.0}).run
    model, latents = house.engine.model, torch.zeros(1, 4, 8, 8)
    start = enlarge(model, model, run, run.hires, latents, [1], lambda _: None).latents
    picture = decode_to_picture(model, latents[0], lambda _: None)
    larger = picture_to_tensor(picture.resize((83, 83), Image.Resampling.LANCZOS))
    expected = encode(model, larger[None], posterior_draws([1], torch.device("cpu")))
    assert start.shape == (1, 4, 10, 10)
    torch.testing.assert_close(start, expected)
