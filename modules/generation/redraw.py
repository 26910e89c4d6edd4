"""The pass of image to image: a picture becomes a latent, is drawn anew in part, where the mask lets it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.checkpoints import ExtraInput, Model
from modules.generation.apart import hold_apart
from modules.generation.artist import Artist
from modules.generation.autoencoder import CELL, encode, picture_to_tensor, posterior_draws
from modules.generation.canvas import Canvas
from modules.generation.img2img_request import Img2ImgRequest, MaskedContent, ResizeChoice
from modules.generation.network import extra_input_for_picture, is_inpainting, network_of
from modules.generation.passes import first_plan, first_prompts, handover_to, picture_noise
from modules.generation.progress import Progress
from modules.generation.run import Run
from modules.imaging import cells_of_mask
from modules.sampling import LatentMask, NoiseSource, PictureNoise, Prompts, SeedPlan, Start, resample

__all__ = ["redraw"]


def redraw(
    run: Run,
    pictures: range,
    artist: Artist,
    progress: Progress,
    canvas: Canvas,
    refiner: Artist | None = None,
) -> Tensor:
    """The latents (B, C, h, w) of `pictures`, in which `refiner` may take over."""
    request, model = run.request, artist.model
    assert isinstance(request, Img2ImgRequest)
    pixels = _stacked(canvas.picture_for(k % request.batch_size) for k in pictures)
    latent = _encoded(run, request, pictures, model, pixels)
    hold = None
    if canvas.apart:
        originals = _stacked(canvas.original_for(k % request.batch_size) for k in pictures)
        hold = hold_apart(canvas.apart, _encoded(run, request, pictures, model, originals), artist.preview())
    if canvas.draws_nothing:
        return latent
    mask = _latent_mask(request, canvas.latent_mask, model)
    if mask is not None:
        latent = _with_masked_content(run, request, pictures, model, latent, mask)
    multiplier = request.initial_noise_multiplier
    start = Start(
        latent,
        request.denoising_strength,
        exact=run.options.img2img_fix_steps,
        mask=LatentMask(1 - mask, latent) if mask is not None else None,
        noise_multiplier=run.options.initial_noise_multiplier if multiplier is None else multiplier,
        extra_noise=run.options.img2img_extra_noise,
        hold=hold,
    )

    def told(artist: Artist) -> Prompts:
        extra = _extra_input(run, request, artist.model, pixels, canvas.mask, latent)
        told = first_prompts(run, len(pictures), artist.encoder)
        return replace(told, extra_input=extra, picture_scale=_picture_scale(request, artist.model))

    noise = picture_noise(run, pictures, tuple(latent.shape[1:]), model.policy.device)
    plan, handover = first_plan(run, model), handover_to(refiner, run, artist, told, progress)
    return resample(network_of(model), plan, noise, told(artist), start, progress.on_step, handover)


def _picture_scale(request: Img2ImgRequest, model: Model) -> float:
    given = request.image_cfg_scale if model.extra_input is ExtraInput.PICTURE else None
    return 1.0 if given is None else given


def _at_size(encoded: Tensor, latent: Tensor) -> Tensor:
    """`encoded` at the size of `latent`, which differs where the latent was resized and not the picture."""
    size = latent.shape[2:]
    if encoded.shape[2:] == size:
        return encoded
    return torch.nn.functional.interpolate(encoded, size=size, mode="bilinear")


def _stacked(pictures: Iterable[Image.Image]) -> Tensor:
    return torch.stack([picture_to_tensor(picture) for picture in pictures])


def _encoded(run: Run, request: Img2ImgRequest, pictures: range, model: Model, pixels: Tensor) -> Tensor:
    draws = posterior_draws(run.seeds.seeds[pictures.start : pictures.stop], model.policy.device)
    latent = encode(model, pixels, draws)
    if request.resize_mode is not ResizeChoice.LATENT:
        return latent
    size = (request.height // CELL, request.width // CELL)
    return torch.nn.functional.interpolate(latent, size=size, mode="bilinear")


def _latent_mask(request: Img2ImgRequest, mask: Image.Image | None, model: Model) -> Tensor | None:
    """1 where the latent (1, 1, h, w) is drawn anew."""
    if mask is None:
        return None
    cells = mask.convert("RGB").resize((request.width // CELL, request.height // CELL))
    shares = np.asarray(cells, dtype=np.float32)[..., 0] / np.float32(255)
    drawn = cells_of_mask(mask.convert("L"), shares, request.mask_round)
    return torch.from_numpy(drawn)[None, None].to(model.policy.device)


def _with_masked_content(
    run: Run, request: Img2ImgRequest, pictures: range, model: Model, latent: Tensor, mask: Tensor
) -> Tensor:
    """`latent` with noise or nothing below the mask, where that is asked for."""
    if request.inpainting_fill is MaskedContent.LATENT_NOTHING:
        return latent * (1 - mask)
    if request.inpainting_fill is not MaskedContent.LATENT_NOISE:
        return latent
    # The first batch's seeds count in the later ones too, sic (BEHAVIOUR section 10).
    seeds = tuple(run.seeds.seeds[k % request.batch_size] for k in pictures)
    plan = SeedPlan(seeds=seeds, subseeds=seeds, source=NoiseSource(run.options.randn_source))
    noise = PictureNoise(plan, tuple(latent.shape[1:]), model.policy.device).first()
    return latent * (1 - mask) + noise * mask


def _extra_input(
    run: Run, request: Img2ImgRequest, model: Model, pixels: Tensor, mask: Image.Image | None, latent: Tensor
) -> Tensor | None:
    """What a checkpoint sees besides the latent: an inpainting one (B, 5, h, w) the mask, and the picture
    without its part; one that edits the picture. None for ordinary ones.
    """
    if not is_inpainting(model):
        shown = extra_input_for_picture(model, pixels)
        return None if shown is None else _at_size(shown, latent)
    if mask is None:
        hidden = torch.ones(1, 1, *pixels.shape[2:])
    else:
        hidden = torch.from_numpy(np.asarray(mask.convert("L"), dtype=np.float32) / 255)[None, None]
        hidden = hidden.round() if request.mask_round else hidden
        hidden = torch.nn.functional.interpolate(hidden, size=pixels.shape[2:])
    seen = torch.lerp(pixels, pixels * (1 - hidden), run.options.inpainting_mask_weight)
    masked = _at_size(encode(model, seen), latent)
    cells = torch.nn.functional.interpolate(hidden, size=latent.shape[2:])
    if mask is not None:
        shares = cells_of_mask(mask.convert("L"), cells[0, 0].numpy(), request.mask_round)
        cells = torch.from_numpy(shares)[None, None]
    cells = cells.to(masked)
    return torch.cat([cells.expand(masked.shape[0], -1, -1, -1), masked], dim=1)
