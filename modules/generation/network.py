"""The loaded model as the sampling room sees it: a function from noisy latents to a prediction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from modules.checkpoints import ExtraInput, Model
from modules.generation.autoencoder import CELL, encode
from modules.generation.depth import depth_map

__all__ = [
    "extra_input_all_masked",
    "extra_input_for_picture",
    "extra_input_for_second_pass",
    "extra_input_for_text",
    "is_inpainting",
    "network_of",
    "tiled_convolutions",
]

Network = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def is_inpainting(model: Model) -> bool:
    """Whether the UNet wants a mask and a masked picture besides the latent."""
    return model.extra_input is ExtraInput.MASK


def network_of(model: Model) -> Network:
    """A function (x (N, C, h, w), time (N,), context (N, T, D), vector (N, V)) -> prediction (N, C, h, w) in
    float32; where the model has an extra input, x has its channels too.
    """
    unet, policy = model.unet, model.policy
    dtype = policy.dtype

    def network(x: Tensor, time: Tensor, context: Tensor, vector: Tensor | None) -> Tensor:
        with model.placement.at_work(unet, by_blocks=True):
            return unet(
                policy.laid_out(x.to(dtype)),
                time,
                context.to(dtype),
                added_cond_kwargs=None if vector is None else _beside(model, vector),
                return_dict=False,
            )[0].float()

    return network


def _beside(model: Model, vector: Tensor) -> dict[str, Tensor]:
    """A conditioning's vectors (N, V) as diffusers' UNet wants them: the pooled text, and the numbers."""
    count = len(model.vector_numbers)
    return {"text_embeds": vector[:, :-count].to(model.policy.dtype), "time_ids": vector[:, -count:]}


def extra_input_for_second_pass(model: Model, pictures: Tensor, mask_weight: float) -> Tensor | None:
    """What such a checkpoint is given in a hires pass over enlarged `pictures` (B, 3, H, W) in -1 .. 1.

    To an inpainting one all is masked, and of the picture there is what `mask_weight` leaves, counted in
    0 .. 1 where the model expects -1 .. 1, sic (BEHAVIOUR section 10). A checkpoint that draws over depths is
    given those of the pictures. None for ordinary ones.
    """
    if model.extra_input is ExtraInput.DEPTH:
        return depth_map(model, pictures)
    if not is_inpainting(model):
        return _extra_without_picture(model, pictures.shape[2], pictures.shape[3])
    return extra_input_all_masked(model, (pictures + 1) / 2, mask_weight)


def extra_input_all_masked(model: Model, pictures: Tensor, mask_weight: float) -> Tensor:
    """What an inpainting checkpoint is given where all of `pictures` (B, 3, H, W) is masked: of them it sees
    what `mask_weight` leaves.
    """
    masked = encode(model, pictures * (1 - mask_weight))
    return torch.cat([torch.ones_like(masked[:, :1]), masked], dim=1)


def extra_input_for_text(model: Model, height: int, width: int) -> Tensor | None:
    """What a checkpoint that wants more than the latent is given when there is no picture: inpainting ones
    that all is masked and grey, others zeros. None for ordinary ones.
    """
    if not is_inpainting(model):
        return _extra_without_picture(model, height, width)
    return extra_input_all_masked(model, torch.zeros(1, 3, height, width), 1.0)


def extra_input_for_picture(model: Model, pixels: Tensor) -> Tensor | None:
    """What a checkpoint that edits `pixels` (B, 3, H, W) in -1 .. 1 is given: their latent, unscaled, sic;
    one that draws over depths: theirs. None for others.
    """
    if model.extra_input is ExtraInput.DEPTH:
        return depth_map(model, pixels)
    if model.extra_input is not ExtraInput.PICTURE:
        return None
    return encode(model, pixels) / model.latent_scale


def _extra_without_picture(model: Model, height: int, width: int) -> Tensor | None:
    channels = model.unet.config.in_channels - model.latent_channels
    if not channels:
        return None
    return torch.zeros(1, channels, height // CELL, width // CELL, device=model.policy.device)


@contextmanager
def tiled_convolutions(model: Model, tiling: bool) -> Iterator[None]:
    """While it lasts, every convolution of UNet and VAE wraps around the edges, so that pictures can be
    tiled.
    """
    layers = [
        layer
        for part in (model.unet, model.vae)
        for layer in part.modules()
        if tiling and isinstance(layer, torch.nn.Conv2d)
    ]
    before = [layer.padding_mode for layer in layers]
    for layer in layers:
        layer.padding_mode = "circular"
    try:
        yield
    finally:
        for layer, mode in zip(layers, before, strict=True):
            layer.padding_mode = mode
