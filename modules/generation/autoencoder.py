"""Between pictures and latents: the VAE's two ways, with an eye on numbers that overflow."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from PIL import Image
from torch import Tensor

from modules.checkpoints import Model
from modules.errors import InvalidRequest
from modules.generation.strips import share_of_decoding, share_of_encoding
from modules.generation.vae_strips import decode_in_strips, encode_in_strips

__all__ = [
    "LostNumbers",
    "decode",
    "decode_to_picture",
    "encode",
    "picture_to_tensor",
    "posterior_draws",
    "tensor_to_picture",
]

Note = Callable[[str], None]
P = ParamSpec("P")
R = TypeVar("R")

CELL = 8
"""Pixels along a side of a latent's cell."""
FARTHEST_LATENT = 1000.0
"""Beyond it no latent of a picture lies: the numbers ran away, and the VAE is not to blame."""
LARGE = 128**2
"""Pixels from which on the VAE takes its input as convolutions are fastest. Group norms are then summed ten
times less exactly (errors of 1e-5, measured with torch 2.14): nothing to the eye, but a tiny picture that is
drawn over again shows which pixels were rounded the other way, and gains little.
"""
LEAST_CONTRAST = 0.25
"""Of the pixels' range of 2. Of a picture that is nearly flat group norms show little but how they
are summed.
"""


class LostNumbers(InvalidRequest):
    """There is no picture, since its numbers are none any more. Who asked can mend it in most cases."""


def _with_vae_at_work(function: Callable[Concatenate[Model, P], R]) -> Callable[Concatenate[Model, P], R]:
    """`function`, whose VAE is on the device while it works."""

    @wraps(function)
    def at_work(model: Model, *args: P.args, **kwargs: P.kwargs) -> R:
        with model.placement.at_work(model.vae):
            return function(model, *args, **kwargs)

    return at_work


@_with_vae_at_work
def decode(model: Model, latent: Tensor, note: Note) -> Tensor:
    """The pixels (3, H, W) in -1 .. 1 of one `latent` (C, h, w).

    When the decoder overflows in its own type, `note` is told, and it is run again in float32.
    Raises EaselError when there is no picture even then. Under a policy that does not check numbers nothing
    of this happens, and what is no number is black.
    """
    vae = model.vae
    scaled = _laid_out(model, latent.unsqueeze(0) / model.latent_scale, CELL)
    pixels = _decoded(vae, scaled)
    if not model.policy.checks_numbers:
        return pixels.float().nan_to_num(-1)
    if pixels.isfinite().all():
        return pixels.float()
    if not latent.isfinite().all():
        raise LostNumbers("cfg_scale", _network_sentence(model))
    if (narrow := _telling(vae).dtype) != torch.float32:
        note(f"The VAE overflowed in {_name(narrow)}; the picture was decoded again in float32.")
        with _in_float32(vae):
            pixels = _decoded(vae, scaled)
    if pixels.isnan().any():
        if latent.abs().max() > FARTHEST_LATENT:
            raise LostNumbers("cfg_scale", _network_sentence(model))
        raise InvalidRequest(
            "sd_vae",
            "The VAE answered with numbers that are no numbers (NaN) in float32 too; "
            "choose another VAE in the settings.",
        )
    return pixels.float()


def _laid_out(model: Model, tensor: Tensor, side: int = 1) -> Tensor:
    """`tensor` (N, C, H, W) in the fastest order of axes, where that is large; side: pixels of a cell's."""
    return model.policy.laid_out(tensor) if tensor.shape[2] * tensor.shape[3] * side**2 >= LARGE else tensor


def _own_precision(vae: AutoencoderKL) -> torch.autocast:
    """The VAE computes in its own type, which may be chosen for its range: autocast stays out."""
    return torch.autocast(_telling(vae).device.type, enabled=False)


def _telling(vae: AutoencoderKL) -> Tensor:
    """A weight that lies where the VAE does, and has the type in which it computes. diffusers' properties
    for these look through all weights each time.
    """
    weight = vae.decoder.conv_in.weight
    assert isinstance(weight, Tensor)
    return weight


def _decoded(vae: AutoencoderKL, latent: Tensor) -> Tensor:
    share = share_of_decoding(latent.shape[2] * latent.shape[3] * CELL**2)
    latent = latent.to(_telling(vae).dtype)
    with _own_precision(vae):
        if share is not None:
            return decode_in_strips(vae, latent, share)[0]
        return vae.decode(latent, return_dict=False)[0][0]


def _encoded(vae: AutoencoderKL, pixels: Tensor) -> DiagonalGaussianDistribution:
    # An encoder that wraps around still adds a row of zeros at the bottom, which strips could not.
    wraps = vae.encoder.conv_in.padding_mode != "zeros"
    share = None if wraps else share_of_encoding(pixels.shape[2] * pixels.shape[3])
    pixels = pixels.to(_telling(vae))
    with _own_precision(vae):
        if share is not None:
            moments = [encode_in_strips(vae, each[None], share) for each in pixels]
            return DiagonalGaussianDistribution(torch.cat(moments))
        return vae.encode(pixels, return_dict=False)[0]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _network_sentence(model: Model) -> str:
    narrow = model.policy.dtype
    advice = (
        "Try a lower CFG scale, smaller weights of words and LoRAs, or another sampler."
        if narrow == torch.float32
        else f"It computes in {_name(narrow)}: start with --no-half or --upcast-sampling and try again."
    )
    return (
        f"{model.checkpoint.name} answered with numbers that are no numbers (NaN), so there is no picture. "
        + advice
    )


@contextmanager
def _in_float32(vae: AutoencoderKL) -> Iterator[None]:
    """While it lasts the VAE is wide; its weights come back as they were, every narrow number being a wide
    one too.
    """
    narrow = _telling(vae).dtype
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(narrow)


def tensor_to_picture(pixels: Tensor) -> Image.Image:
    """An 8-bit RGB picture from `pixels` (3, H, W) in -1 .. 1: clamped, and truncated, not rounded."""
    unit = ((pixels + 1) / 2).clamp(0, 1)
    array = (unit.cpu().numpy() * 255.0).astype(np.uint8)
    return Image.fromarray(np.moveaxis(array, 0, 2))


def decode_to_picture(model: Model, latent: Tensor, note: Note) -> Image.Image:
    """One `latent` (C, h, w) as a picture."""
    return tensor_to_picture(decode(model, latent, note))


def picture_to_tensor(picture: Image.Image) -> Tensor:
    """A picture as (3, H, W) float32 in -1 .. 1."""
    array = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0
    return torch.from_numpy(np.moveaxis(array, 2, 0)) * 2.0 - 1.0


def posterior_draws(seeds: Sequence[int], device: torch.device) -> list[torch.Generator]:
    """A generator for each picture, so that its draw of the posterior does not depend on its batch."""
    return [torch.Generator(device).manual_seed(seed % 2**63) for seed in seeds]


@_with_vae_at_work
def encode(model: Model, pixels: Tensor, generators: Sequence[torch.Generator] = ()) -> Tensor:
    """Latents (B, C, h, w) of `pixels` (B, 3, H, W) in -1 .. 1: a draw of the posterior with a generator for
    each picture, or its mean without any.
    """
    vae = model.vae
    if (pixels.amax((1, 2, 3)) - pixels.amin((1, 2, 3))).min() >= LEAST_CONTRAST:
        pixels = _laid_out(model, pixels)
    posterior = _encoded(vae, pixels)
    if _telling(vae).dtype != torch.float32 and not posterior.mean.isfinite().all():
        with _in_float32(vae):
            posterior = _encoded(vae, pixels)
    latent = posterior.sample(list(generators)) if generators else posterior.mean
    return latent.float() * model.latent_scale
