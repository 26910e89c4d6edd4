"""Stable Diffusion 1 (Rombach et al. 2022): a UNet, a VAE f8 and the CLIP text encoder, in any sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel

from modules.checkpoints.assembly import assemble, part_of
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import TextTower
from modules.checkpoints.tensor_file import StoredTensor, TensorFile
from modules.checkpoints.text_layout import build_clip_tower
from modules.checkpoints.unet_layout import UNET_PREFIX, read_unet_layout
from modules.checkpoints.vae_layout import VAE_PREFIX, vae_config, vae_name
from modules.memory import DevicePolicy

__all__ = ["Parts", "build_sd1", "build_unet", "build_vae"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The modules of a model."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    towers: tuple[TextTower, ...]


def build_sd1(file: TensorFile, config: LdmConfig, policy: DevicePolicy, configs: Path) -> Parts:
    """All parts out of one checkpoint. Raises EaselError for missing tensors and impossible sizes."""
    return Parts(
        unet=build_unet(file, config, policy),
        vae=build_vae(file, config, policy, VAE_PREFIX),
        towers=(build_clip_tower(file, config, policy, configs),),
    )


def build_unet(file: TensorFile, config: LdmConfig, policy: DevicePolicy) -> UNet2DConditionModel:
    """The UNet of a checkpoint in the policy's type and place."""
    tensors = part_of(file, UNET_PREFIX)
    layout = read_unet_layout(tensors)
    arguments = layout.config(config.num_heads, config.num_head_channels)
    names = {layout.diffusers_name(name): UNET_PREFIX + name for name in tensors}
    return assemble(lambda: UNet2DConditionModel(**arguments), file, names, policy.dtype, policy.device)


def build_vae(file: TensorFile, config: LdmConfig, policy: DevicePolicy, prefix: str) -> AutoencoderKL:
    """The VAE under the names that begin with `prefix`."""
    tensors: Mapping[str, StoredTensor] = part_of(file, prefix)
    arguments = vae_config(tensors, config.scale_factor)
    levels = len(arguments["block_out_channels"])
    names = {vae_name(name, levels): prefix + name for name in tensors}
    return assemble(lambda: AutoencoderKL(**arguments), file, names, policy.vae_dtype, policy.device)
