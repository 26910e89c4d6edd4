"""Stable Diffusion 1 (Rombach et al. 2022): a UNet, a VAE f8 and the CLIP text encoder, in any sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel

from modules.checkpoints.assembly import Blueprint, draw_blueprint, part_of
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.tensor_file import TensorFile
from modules.checkpoints.text_layout import TowerPlan, plan_clip_tower
from modules.checkpoints.unet_layout import UNET_PREFIX, read_unet_layout
from modules.checkpoints.vae_layout import VAE_PREFIX, vae_config, vae_names
from modules.errors import EaselError

__all__ = ["Sd1Plan", "plan_sd1", "plan_vae"]

VAE_MARK = "decoder.conv_in.weight"


@dataclass(frozen=True, slots=True, eq=False)
class Sd1Plan:
    """The parts of a checkpoint, checked and not read yet."""

    unet: Blueprint[UNet2DConditionModel]
    tower: TowerPlan


def plan_sd1(file: TensorFile, config: LdmConfig, configs: Path) -> Sd1Plan:
    """UNet and text encoder of a checkpoint. Raises EaselError for missing tensors and impossible sizes."""
    return Sd1Plan(_plan_unet(file, config), plan_clip_tower(file, config, configs))


def plan_vae(file: TensorFile, scale: float) -> Blueprint[AutoencoderKL]:
    """The VAE of a whole checkpoint, or of a file that holds one alone under names without prefix.

    scale: what latents are multiplied by. Raises EaselError where there is none.
    """
    prefix = next((prefix for prefix in ("", VAE_PREFIX) if prefix + VAE_MARK in file.tensors), None)
    if prefix is None:
        raise EaselError(
            f"{file.path.name} holds no VAE in the layout of Stable Diffusion. Choose one in settings; its "
            'file belongs into "models/VAE".'
        )
    names = {name: prefix + source for name, source in vae_names(part_of(file, prefix)).items()}
    try:
        arguments = vae_config({name: file.tensors[source] for name, source in names.items()}, scale)
    except (KeyError, IndexError) as error:
        raise _incomplete(file, "VAE", error) from None
    return draw_blueprint(lambda: AutoencoderKL(**arguments), file, names, "VAE")


def _plan_unet(file: TensorFile, config: LdmConfig) -> Blueprint[UNet2DConditionModel]:
    tensors = part_of(file, UNET_PREFIX)
    try:
        layout = read_unet_layout(tensors)
    except (KeyError, IndexError, ValueError, StopIteration) as error:
        raise _incomplete(file, "UNet", error) from None
    _check_heads(file, [level.channels for level in layout.levels], config)
    arguments = layout.config(config.num_heads, config.num_head_channels)
    places = {name: layout.diffusers_name(name) for name in tensors}
    names = {place: UNET_PREFIX + name for name, place in places.items() if place is not None}
    return draw_blueprint(lambda: UNet2DConditionModel(**arguments), file, names, "UNet")


def _check_heads(file: TensorFile, channels: list[int], config: LdmConfig) -> None:
    divisor = config.num_head_channels or config.num_heads
    if any(count % divisor for count in channels):
        raise EaselError(
            f"{file.path.name}: the UNet's {', '.join(map(str, channels))} channels cannot be shared out by "
            f"{divisor}, as its configuration (the .yaml beside it) says with num_heads or num_head_channels."
        )


def _incomplete(file: TensorFile, part: str, error: Exception) -> EaselError:
    lacking = f"{error} is missing" if isinstance(error, KeyError) else "some of its tensors are missing"
    return EaselError(f"The {part} in {file.path.name} is incomplete: {lacking}. Fetch the file again.")
