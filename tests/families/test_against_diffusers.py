"""Families without recorded pictures, held against diffusers' own pipelines step by step."""

import pytest
import torch
from diffusers import (
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)

from modules.checkpoints import ExtraInput, Family, Prediction
from modules.generation.network import extra_input_for_picture
from modules.sampling.noise_table import LAST_ALPHA

from .conftest import WIDTH, euler, random_tower, random_unet, random_vae, tokenizer
from .steps import SIDE, assert_same_steps, first_noise, our_steps, their_steps

NO_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def picture() -> torch.Tensor:
    """(1, 3, SIDE, SIDE) in -1 .. 1."""
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(5)) * 2 - 1


def xl_unet(in_channels: int = 4, numbers: int = 6, width: int = 2 * WIDTH):
    return random_unet(
        in_channels,
        cross_attention_dim=width,
        use_linear_projection=True,
        transformer_layers_per_block=(1, 2),
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=16 + numbers * 256,
    )


def xl_parts(in_channels: int = 4, **scheduler) -> dict:
    return {
        "unet": xl_unet(in_channels),
        "vae": random_vae(0.13025),
        "text_encoder": random_tower(),
        "text_encoder_2": random_tower(projected=True, act="gelu"),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer("!"),
        "scheduler": euler(**scheduler),
    }


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("act", ["quick_gelu", "gelu"], ids=["sd1", "sd2"])
def test_stable_diffusion_1_and_2(prediction, act, saved):
    pad = "<|endoftext|>" if act == "quick_gelu" else "!"
    pipeline = StableDiffusionPipeline(
        unet=random_unet(), vae=random_vae(), text_encoder=random_tower(act=act), tokenizer=tokenizer(pad),
        scheduler=euler(prediction_type=prediction), **NO_CHECKER,
    )  # fmt: skip
    model = saved(pipeline)
    assert model.family is (Family.SD1 if act == "quick_gelu" else Family.SD2)
    assert model.prediction is Prediction(prediction)
    noise = first_noise()
    assert_same_steps(our_steps(model), their_steps(pipeline, height=SIDE, width=SIDE, latents=noise))


def test_xl_with_v_prediction_and_zero_terminal_snr(saved):
    told = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    pipeline = StableDiffusionXLPipeline(**xl_parts(**told))
    model = saved(pipeline)
    assert model.prediction is Prediction.V
    assert model.alphas_cumprod[-1] == pytest.approx(LAST_ALPHA)
    torch.testing.assert_close(
        model.alphas_cumprod[:-1], pipeline.scheduler.alphas_cumprod[:-1], rtol=1e-4, atol=1e-7
    )
    # Where diffusers ends at 2^-24, the field's programs end a little lower.
    pipeline.scheduler.alphas_cumprod[-1] = LAST_ALPHA
    theirs = their_steps(pipeline, height=SIDE, width=SIDE, latents=first_noise())
    assert_same_steps(our_steps(model), theirs)


def test_xl_inpainting(saved):
    pipeline = StableDiffusionXLInpaintPipeline(**xl_parts(in_channels=9))
    model = saved(pipeline)
    assert model.extra_input is ExtraInput.MASK
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., SIDE // 2 :] = 1
    with torch.inference_mode():
        seen = model.vae.encode(picture() * (1 - mask)).latent_dist.mean * model.latent_scale
    extra = torch.cat([torch.nn.functional.interpolate(mask, size=(SIDE // 8, SIDE // 8)), seen], dim=1)
    theirs = their_steps(
        pipeline, image=(picture() + 1) / 2, mask_image=mask, strength=1.0, height=SIDE, width=SIDE,
        latents=first_noise(),
    )  # fmt: skip
    assert_same_steps(our_steps(model, extra), theirs)


def test_the_refiner(saved):
    pipeline = StableDiffusionXLImg2ImgPipeline(
        unet=xl_unet(numbers=5, width=WIDTH), vae=random_vae(0.13025), text_encoder=None, tokenizer=None,
        text_encoder_2=random_tower(projected=True, act="gelu"), tokenizer_2=tokenizer("!"),
        scheduler=euler(), requires_aesthetics_score=True,
    )  # fmt: skip
    model = saved(pipeline)
    assert model.family is Family.SDXL_REFINER
    latent = torch.randn(1, 4, SIDE // 8, SIDE // 8)
    theirs = their_steps(pipeline, image=latent, strength=1.0, generator=torch.Generator().manual_seed(3))
    assert_same_steps(our_steps(model, latent=latent), theirs)


@pytest.mark.parametrize("picture_scale", [1.0, 1.7])
def test_instruct_pix2pix_with_both_of_its_guidances(picture_scale, saved):
    pipeline = StableDiffusionInstructPix2PixPipeline(
        unet=random_unet(8), vae=random_vae(), text_encoder=random_tower(), tokenizer=tokenizer(),
        scheduler=euler(), **NO_CHECKER,
    )  # fmt: skip
    model = saved(pipeline)
    assert model.extra_input is ExtraInput.PICTURE
    with torch.inference_mode():
        extra = extra_input_for_picture(model, picture())
    theirs = their_steps(
        pipeline, image=(picture() + 1) / 2, image_guidance_scale=picture_scale, latents=first_noise()
    )
    assert_same_steps(our_steps(model, extra, picture_scale=picture_scale), theirs)
