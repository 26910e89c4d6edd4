"""A loaded model: the parts that make pictures, and what must be known about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from modules.memory import DevicePolicy
from modules.sampling import Prediction

if TYPE_CHECKING:
    from modules.checkpoints.files import CheckpointFile, VaeFile

__all__ = ["Family", "Model", "Prediction", "TextTower"]


class Family(StrEnum):
    """Families of models; the value is how a person calls it."""

    SD1 = "Stable Diffusion 1"
    SD2 = "Stable Diffusion 2"
    SDXL = "Stable Diffusion XL"


@dataclass(frozen=True, slots=True)
class TextTower:
    """A text encoder with its tokenizer."""

    encoder: CLIPTextModel
    tokenizer: CLIPTokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One checkpoint in memory. Parts are plain diffusers and transformers modules in evaluation mode."""

    checkpoint: CheckpointFile
    family: Family
    prediction: Prediction
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    towers: tuple[TextTower, ...]
    alphas_cumprod: Tensor
    """(1000,) float32 on the CPU, falling: the share of the picture left at each time."""
    latent_scale: float
    latent_channels: int
    policy: DevicePolicy
    vae_file: VaeFile | None = None
    """The file that the VAE came from, None for the checkpoint's own."""
