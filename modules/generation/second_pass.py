"""How the first pass's latents become the start of the hires pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from modules.checkpoints import Model
from modules.generation.autoencoder import (
    decode,
    decode_to_picture,
    encode,
    picture_to_tensor,
    posterior_draws,
)
from modules.generation.hires import cut_latent, resize_latent
from modules.generation.network import (
    extra_input_all_masked,
    extra_input_for_second_pass,
    extra_input_for_text,
    is_inpainting,
)
from modules.generation.run import HiresRun, Run
from modules.imaging import ResizeMode, resize_image
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS, upscale_picture

__all__ = ["Enlarged", "enlarge"]

Note = Callable[[str], None]


@dataclass(frozen=True)
class Enlarged:
    """The start of the second pass: latents (B, C, h, w); what an inpainting checkpoint is given besides."""

    latents: Tensor
    extra_input: Tensor | None


def enlarge(
    first: Model, second: Model, run: Run, hires: HiresRun, latents: Tensor, seeds: Sequence[int], note: Note
) -> Enlarged:
    """The latents of `first` at the hires size: interpolated as they are, or as pictures through the VAEs.

    Pictures are decoded by the first model's VAE and encoded by the second's, where the draw of the posterior
    is each picture's own, by its one of `seeds`. BEHAVIOUR section 8.
    """
    size = hires.size
    if hires.upscaler in LATENT_UPSCALERS:
        how = LATENT_UPSCALERS[hires.upscaler]
        larger = cut_latent(resize_latent(latents, size, how.mode, how.antialias), size)
        return Enlarged(larger, _beside_latents(second, larger, run.options.inpainting_mask_weight, note))
    pictures = torch.stack(
        [picture_to_tensor(_enlarged_picture(first, hires, each, note)) for each in latents]
    )
    generators = posterior_draws(seeds, second.policy.device)
    extra = extra_input_for_second_pass(second, pictures, run.options.inpainting_mask_weight)
    return Enlarged(
        cut_latent(encode(second, pictures, generators), size),
        None if extra is None else cut_latent(extra, size),
    )


def _beside_latents(second: Model, larger: Tensor, mask_weight: float, note: Note) -> Tensor | None:
    """What `second` is given beside `larger` (B, C, h, w): an inpainting checkpoint sees what `mask_weight`
    leaves of the pictures that the latents are.
    """
    if mask_weight == 1 or not is_inpainting(second):
        return extra_input_for_text(second, larger.shape[2] * 8, larger.shape[3] * 8)
    pictures = torch.stack([decode(second, each, note) for each in larger])
    return extra_input_all_masked(second, pictures, mask_weight)


def _enlarged_picture(first: Model, hires: HiresRun, latent: Tensor, note: Note) -> Image.Image:
    picture = decode_to_picture(first, latent, note)
    size, upscaler = hires.size, UPSCALERS[hires.upscaler]
    enlarged = None if upscaler.name == "None" else partial(upscale_picture, upscaler)
    # Not cut to whole cells before it is encoded: the encoder does that, and sees all of the picture (sic).
    return resize_image(ResizeMode.STRETCH, picture, size.scaled_width, size.scaled_height, enlarged)
