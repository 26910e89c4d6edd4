"""The VAE: four latent channels at an eighth of the picture's side.

It is trained in two parts: encoder and decoder together on crops of all drawings, and, once the latents are
settled, the decoder alone on whole pictures, which changes no latent and so may happen after (or while) the
UNet learns.
"""

import logging
import math
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from tools.embedded_model.state import Ema, load_state, save_state

__all__ = ["build_vae", "latents_of", "train_vae", "tune_decoder"]

log = logging.getLogger(__name__)

CROP, CELL, BATCH, DECODER_BATCH = 64, 8, 16, 4
PEAK_RATE, DECODER_RATE, WARM_UP = 1e-3, 6e-4, 50
LATENT_NOISE = 0.1
SAVE_EVERY = 200


def build_vae() -> AutoencoderKL:
    """The untrained VAE, 1.25 million parameters, in the shape of Stable Diffusion's."""
    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[32, 64, 64, 64],
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=32,
        sample_size=128,
    )


class _Trainee(nn.Module):
    """The VAE, and a linear map from a latent cell to its mean colour, which is thrown away after training.

    The map makes the encoder put all three colours into the latents: without it red and green fell
    together, because edges pay more and the many group norms of such narrow layers take the level out of
    every channel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vae = build_vae()
        self.colours = nn.Conv2d(4, 3, 1)


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (N, H, W, 3) as (N, 3, H, W) in -1 .. 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).movedim(-1, -3).float() / 127.5 - 1


def _crops(pictures: NDArray[np.uint8], generator: torch.Generator) -> Tensor:
    chosen = torch.randint(0, len(pictures), (BATCH,), generator=generator)
    places = (pictures.shape[1] - CROP) // CELL + 1
    top, left = (int(torch.randint(0, places, (1,), generator=generator)) * CELL for _ in range(2))
    crops = to_tensor(pictures[chosen.numpy(), top : top + CROP, left : left + CROP])
    return crops.flip(3) if torch.rand(1, generator=generator) < 0.5 else crops


def _chroma(difference: Tensor) -> Tensor:
    """How wrong the colours are, brightness apart: red against green counts most, it is learnt last."""
    red, green, blue = difference.unbind(1)
    return 1.5 * (red - green).abs().mean() + 0.5 * ((red + green) / 2 - blue).abs().mean()


def _picture_loss(difference: Tensor) -> Tensor:
    """Values, edges, coarse values, and coarse colours, of `difference` (N, 3, H, W) from the drawing."""
    edges = difference.diff(dim=3).abs().mean() + difference.diff(dim=2).abs().mean()
    coarse = avg_pool2d(difference, CELL).abs().mean()
    fine = difference.abs().mean() + 0.5 * (difference.square().mean() + edges)
    return fine + 2 * coarse + _chroma(avg_pool2d(difference, 4))


def _loss(trainee: _Trainee, pictures: Tensor, generator: torch.Generator) -> Tensor:
    """What `pictures` (N, 3, H, W) lose on their way through the VAE.

    The latent gets noise of a fixed size and a bound on its scale, in the place of a learned variance, which
    would drown a small encoder at the start of its training.
    """
    mean = trainee.vae.encode(pictures).latent_dist.mean
    latent = mean + LATENT_NOISE * torch.randn(mean.shape, generator=generator).to(mean.device)
    of_colours = trainee.colours(latent) - avg_pool2d(pictures, CELL)
    scale = (mean.square().mean((0, 2, 3)) - 1).clamp(min=0).mean()
    picture = _picture_loss(trainee.vae.decode(latent).sample - pictures)
    return picture + of_colours.abs().mean() + _chroma(of_colours) + 0.01 * scale


def _rate(peak: float, step: int, steps: int) -> float:
    return peak * min(1, (step + 1) / WARM_UP) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _optimise(loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


def train_vae(pictures: NDArray[np.uint8], steps: int, state_file: Path, device: str) -> AutoencoderKL:
    """A VAE trained for `steps` on `pictures` (N, 128, 128, 3); begun training is taken up from
    `state_file`."""
    torch.manual_seed(0)
    trainee = _Trainee().to(device)
    ema = Ema(trainee, decay=0.995)
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=PEAK_RATE, weight_decay=1e-4, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(1)
    done = load_state(state_file, trainee, ema, optimizer, generator)
    for step in range(done, steps):
        loss = _loss(trainee, _crops(pictures, generator).to(device), generator)
        _optimise(loss, trainee, optimizer, _rate(PEAK_RATE, step, steps))
        ema.update(step)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            log.info("VAE step %d of %d: loss %.4f", step + 1, steps, loss.item())
            save_state(state_file, step + 1, trainee, ema, optimizer, generator)
    return ema.shadow.vae


def tune_decoder(
    vae: AutoencoderKL,
    pictures: NDArray[np.uint8],
    concepts: NDArray[np.uint8],
    steps: int,
    state_file: Path,
    device: str,
) -> AutoencoderKL:
    """`vae` with its decoder trained on for `steps`; its latents stay as they are.

    It sees whole pictures (N, 128, 128, 3), half of them out of `concepts` (M, 128, 128, 3).
    """
    vae = vae.to(device).requires_grad_(False)
    ema = Ema(vae, decay=0.99)
    trained = nn.ModuleList([vae.post_quant_conv, vae.decoder]).requires_grad_(True)
    optimizer = torch.optim.AdamW(trained.parameters(), lr=DECODER_RATE, weight_decay=1e-4, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(3)
    done = load_state(state_file, vae, ema, optimizer, generator)
    for step in range(done, steps):
        halves = [
            to_tensor(some[torch.randint(0, len(some), (DECODER_BATCH // 2,), generator=generator).numpy()])
            for some in (pictures, concepts)
        ]
        clean = torch.cat(halves).to(device)
        with torch.no_grad():
            mean = vae.encode(clean).latent_dist.mean
        latent = mean + LATENT_NOISE * torch.randn(mean.shape, generator=generator).to(device)
        loss = _picture_loss(vae.decode(latent).sample - clean)
        _optimise(loss, trained, optimizer, _rate(DECODER_RATE, step, steps))
        ema.update(step)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            log.info("decoder step %d of %d: loss %.4f", step + 1, steps, loss.item())
            save_state(state_file, step + 1, vae, ema, optimizer, generator)
    return ema.shadow


@torch.no_grad()
def latents_of(vae: AutoencoderKL, drawings: NDArray[np.uint8]) -> Tensor:
    """(concepts, styles, 4, 16, 16): the mean latent of each of `drawings` (concepts, styles, 128, 128,
    3)."""
    vae.eval()
    return torch.stack(
        [vae.encode(to_tensor(of_concept).to(vae.device)).latent_dist.mean for of_concept in drawings]
    )
