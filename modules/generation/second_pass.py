"""How the first pass's latents become the start of the hires pass."""

from collections.abc import Callable

import torch
from torch import Tensor

from modules.checkpoints import Model
from modules.generation.autoencoder import decode_to_picture, encode, picture_to_tensor
from modules.generation.hires import cut_latent, resize_latent
from modules.generation.run import HiresRun
from modules.imaging import ResizeMode, resize_image
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS, upscale_picture

__all__ = ["enlarged"]


def enlarged(
    first: Model, second: Model, hires: HiresRun, latents: Tensor, seed: int, note: Callable[[str], None]
) -> Tensor:
    """`latents` (B, C, h, w) of `first` at the hires size: interpolated as they are, or as pictures,
    decoded by the first
    model's VAE and encoded by the second's.

    `seed` decides the draw of the VAE's posterior. BEHAVIOUR section 8.
    """
    size = hires.size
    if hires.upscaler in LATENT_UPSCALERS:
        how = LATENT_UPSCALERS[hires.upscaler]
        return cut_latent(resize_latent(latents, size, how.mode, how.antialias), size)
    upscaler = UPSCALERS[hires.upscaler]
    tensors = []
    for latent in latents:
        picture = decode_to_picture(first, latent, note)
        factor = max(size.scaled_width / picture.width, size.scaled_height / picture.height)
        picture = upscale_picture(upscaler, picture, factor) if factor > 1 else picture
        picture = resize_image(
            ResizeMode.STRETCH, picture, size.scaled_width // 8 * 8, size.scaled_height // 8 * 8
        )
        tensors.append(picture_to_tensor(picture))
    generator = torch.Generator(second.policy.device).manual_seed(seed % 2**63)
    return cut_latent(encode(second, torch.stack(tensors), generator), size)
