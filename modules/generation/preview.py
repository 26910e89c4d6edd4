"""Previews of unfinished latents: a linear map fitted to the loaded VAE, or the VAE itself."""

from enum import StrEnum

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.checkpoints import Model
from modules.generation.autoencoder import decode, decode_to_picture, encode, tensor_to_picture

__all__ = ["LinearPreview", "PreviewKind", "preview_picture"]

FIT_SIDE = 256
LATENT_PIXELS = 8


class PreviewKind(StrEnum):
    """How a preview is made: values of the setting `show_progress_type`."""

    FULL = "Full"
    CHEAP = "Approx cheap"
    NEURAL = "Approx NN"
    TAESD = "TAESD"


def _training_picture(seed: int = 0) -> Tensor:
    """(1, 3, FIT_SIDE, FIT_SIDE) in -1 ..

    1: smooth fields of colour in one half, flat patches in the other.
    """
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.rand(1, 3, 9, 9, generator=generator) * 2 - 1
    smooth = torch.nn.functional.interpolate(smooth, size=(FIT_SIDE, FIT_SIDE), mode="bicubic").clamp(-1, 1)
    patches = torch.rand(1, 3, FIT_SIDE // 16, FIT_SIDE // 32, generator=generator) * 2 - 1
    smooth[..., FIT_SIDE // 2 :] = torch.nn.functional.interpolate(patches, scale_factor=16.0, mode="nearest")
    return smooth


class LinearPreview:
    """A map from a latent cell to one colour, by least squares over what the model's own VAE decodes of a
    picture that it has encoded.

    One small picture is all it costs, so it fits any VAE and needs no model of its own. Raises EaselError
    for a VAE that answers with no numbers.
    """

    @torch.no_grad()
    def __init__(self, model: Model) -> None:
        encoded = encode(model, _training_picture())[0]
        decoded = decode(model, encoded, note=lambda _: None).clamp(-1, 1).cpu()
        latent = encoded.cpu()
        colours = torch.nn.functional.avg_pool2d(decoded, LATENT_PIXELS)
        cells = torch.cat([latent.flatten(1), torch.ones(1, latent[0].numel())]).T
        self._weights = torch.linalg.lstsq(cells, colours.flatten(1).T).solution
        self.residual = float((cells @ self._weights - colours.flatten(1).T).square().mean().sqrt())

    @property
    def colours_of_channels(self) -> Tensor:
        """What each channel of a cell adds to red, green and blue (C, 3), in -1 .. 1."""
        return self._weights[:-1]

    def __call__(self, latent: Tensor) -> Image.Image:
        """The preview of `latent` (C, h, w), a pixel a cell."""
        channels = latent.shape[0]
        cells = latent.detach().float().cpu().flatten(1).T
        colours = (cells @ self._weights[:channels] + self._weights[channels]).nan_to_num(0)
        return tensor_to_picture(colours.T.reshape(3, *latent.shape[1:]))


def preview_picture(model: Model, linear: LinearPreview, latents: Tensor, kind: PreviewKind) -> Image.Image:
    """One picture of `latents` (B, C, h, w): the pictures of the batch side by side, near square, at full
    size.
    """
    if kind is PreviewKind.FULL:
        tiles = [decode_to_picture(model, latent, note=lambda _: None) for latent in latents]
    else:
        height, width = (side * LATENT_PIXELS for side in latents.shape[2:])
        tiles = [linear(latent).resize((width, height), Image.Resampling.BICUBIC) for latent in latents]
    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * width, rows * height))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % columns * width, number // columns * height))
    return sheet
