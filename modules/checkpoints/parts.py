"""UNet and VAE of an opened checkpoint: checked, with the places of their numbers, and not read yet."""

from __future__ import annotations

from diffusers import AutoencoderKL, UNet2DConditionModel

from modules.checkpoints.assembly import Blueprint, draw_blueprint
from modules.checkpoints.frugal import make_frugal
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import ExtraInput
from modules.checkpoints.opened import OpenedCheckpoint
from modules.checkpoints.sources import part_of
from modules.checkpoints.unet_layout import UNET_PREFIX, read_unet_layout
from modules.checkpoints.vae_layout import VAE_PREFIXES, vae_config, vae_names
from modules.errors import UnusableFile

__all__ = ["extra_input_of", "plan_unet", "plan_vae"]

VAE_MARK = "decoder.conv_in.weight"
EXTRA_INPUTS = {0: ExtraInput.NONE, 1: ExtraInput.DEPTH, 4: ExtraInput.PICTURE, 5: ExtraInput.MASK}
"""By the number of channels behind the latent's four."""


def plan_unet(opened: OpenedCheckpoint, config: LdmConfig) -> Blueprint[UNet2DConditionModel]:
    """The UNet. Raises EaselError for missing tensors and impossible sizes."""
    if opened.configs:
        tree, sources = opened.configs.get("unet", {}), part_of(opened.sources, "unet.")
        return draw_blueprint(
            lambda: make_frugal(UNet2DConditionModel.from_config(tree)), sources, opened.name, "UNet"
        )
    tensors = part_of(opened.sources, UNET_PREFIX)
    try:
        layout = read_unet_layout(tensors)
    except (KeyError, IndexError, ValueError, StopIteration) as error:
        raise _incomplete(opened, "UNet", error) from None
    _check_heads(opened, [level.channels for level in layout.levels], config)
    arguments = layout.config(config.num_heads, config.num_head_channels)
    places = {layout.diffusers_name(name): source for name, source in tensors.items()}
    sources = {place: source for place, source in places.items() if place is not None}
    return draw_blueprint(
        lambda: make_frugal(UNet2DConditionModel(**arguments)), sources, opened.name, "UNet"
    )


def plan_vae(opened: OpenedCheckpoint, scale: float) -> Blueprint[AutoencoderKL]:
    """The VAE of a whole checkpoint, or of a file that holds one alone.

    scale: what latents are multiplied by. Raises EaselError where there is none.
    """
    prefix = next((prefix for prefix in VAE_PREFIXES if prefix + VAE_MARK in opened.sources), None)
    if prefix is None:
        raise UnusableFile(
            f"{opened.name} holds no VAE in the layout of Stable Diffusion. Choose one in settings; its "
            'file belongs into "models/VAE".'
        )
    tensors = part_of(opened.sources, prefix)
    sources = {name: tensors[source] for name, source in vae_names(tensors).items()}
    if opened.configs:
        tree = opened.configs.get("vae", {})
        return draw_blueprint(
            lambda: make_frugal(AutoencoderKL.from_config(tree)), sources, opened.name, "VAE"
        )
    try:
        arguments = vae_config(sources, scale)
    except (KeyError, IndexError) as error:
        raise _incomplete(opened, "VAE", error) from None
    return draw_blueprint(lambda: make_frugal(AutoencoderKL(**arguments)), sources, opened.name, "VAE")


def extra_input_of(opened: OpenedCheckpoint, unet: UNet2DConditionModel) -> ExtraInput:
    """What the UNet is given besides the latent. Raises EaselError for a number of channels that nobody
    knows.
    """
    extra = unet.config.in_channels - unet.config.out_channels
    if extra not in EXTRA_INPUTS:
        raise UnusableFile(
            f"The UNet in {opened.name} takes {unet.config.in_channels} channels and answers with "
            f"{unet.config.out_channels}; it is of a kind that Easel does not know."
        )
    return EXTRA_INPUTS[extra]


def _check_heads(opened: OpenedCheckpoint, channels: list[int], config: LdmConfig) -> None:
    divisor = config.num_head_channels or config.num_heads
    if any(count % divisor for count in channels):
        raise UnusableFile(
            f"{opened.name}: the UNet's {', '.join(map(str, channels))} channels cannot be shared out by "
            f"{divisor}, as its configuration (the .yaml beside it) says with num_heads or num_head_channels."
        )


def _incomplete(opened: OpenedCheckpoint, part: str, error: Exception) -> UnusableFile:
    lacking = f"{error} is missing" if isinstance(error, KeyError) else "some of its tensors are missing"
    return UnusableFile(f"The {part} in {opened.name} is incomplete: {lacking}. Fetch the file again.")
