"""From a checkpoint file to a model in memory. No network, ever."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from modules.checkpoints.families import build_sd1, recognise_family
from modules.checkpoints.families.sd1 import build_vae
from modules.checkpoints.files import CheckpointFile, VaeFile
from modules.checkpoints.ldm_config import LdmConfig, read_ldm_config
from modules.checkpoints.model import Family, Model
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.vae_layout import VAE_PREFIX
from modules.errors import EaselError
from modules.memory import DevicePolicy

__all__ = ["alphas_cumprod", "load_model", "with_vae"]

log = logging.getLogger(__name__)

VAE_MARK = "decoder.conv_in.weight"


def load_model(
    file: CheckpointFile,
    policy: DevicePolicy,
    configs: Path,
    vae: VaeFile | None = None,
    *,
    mapped: bool = True,
) -> Model:
    """Load a checkpoint, its VAE replaced by the file `vae` where one is given.

    configs: the folder of Easel's own model configurations and tokenizer. mapped: see `open_tensors`.
    Raises EaselError, saying what is wrong with which file. Its hash is then computed in the background.
    """
    config = (
        read_ldm_config(file.config_path)
        if file.config_path
        else read_ldm_config(configs / "v1-inference.yaml")
    )
    with open_tensors(file.path, mapped=mapped) as tensors:
        family = recognise_family(file.path, tensors.tensors, config if file.config_path else None)
        if family is not Family.SD1:
            raise EaselError(
                f"{file.name} is a {family} checkpoint. This version draws with {Family.SD1} checkpoints "
                "only; choose another one."
            )
        parts = build_sd1(tensors, config, policy, configs)
    model = Model(
        checkpoint=file,
        family=family,
        prediction=config.prediction,
        unet=parts.unet,
        vae=parts.vae if vae is None else load_vae(vae, config, policy),
        towers=parts.towers,
        alphas_cumprod=alphas_cumprod(config),
        latent_scale=config.scale_factor,
        latent_channels=parts.vae.config.latent_channels,
        policy=policy,
        vae_file=vae,
    )
    file.hash_later()
    return model


def with_vae(model: Model, vae: VaeFile | None) -> Model:
    """The same model with the VAE of the file `vae`, or with the checkpoint's own for None.

    Nothing else is loaded anew, and `model` itself is not changed. Raises EaselError for a VAE that does not fit.
    """
    if vae == model.vae_file:
        return model
    config = LdmConfig(scale_factor=model.latent_scale)
    source = vae or model.checkpoint
    part = load_vae(source, config, model.policy)
    if part.config.latent_channels != model.latent_channels:
        raise EaselError(
            f"The VAE {source.name} makes latents of {part.config.latent_channels} channels, "
            f"{model.checkpoint.name} needs {model.latent_channels}. Choose another VAE in the settings."
        )
    return replace(model, vae=part, vae_file=vae)


def load_vae(file: VaeFile | CheckpointFile, config: LdmConfig, policy: DevicePolicy) -> AutoencoderKL:
    """The VAE of a file that holds one alone (names without prefix) or of a whole checkpoint."""
    with open_tensors(file.path) as tensors:
        for prefix in ("", VAE_PREFIX):
            if prefix + VAE_MARK in tensors.tensors:
                return build_vae(tensors, config, policy, prefix)
    raise EaselError(
        f"{file.name} holds no VAE in the layout of Stable Diffusion. Choose another VAE in the settings."
    )


def alphas_cumprod(config: LdmConfig) -> Tensor:
    """The products of 1 - beta, (timesteps,) float32, over "scaled linear" betas (Rombach et al. 2022).

    Computed in float64, as the recorded program does.
    """
    roots = torch.linspace(
        config.linear_start**0.5, config.linear_end**0.5, config.timesteps, dtype=torch.float64
    )
    return torch.cumprod(1.0 - roots**2, dim=0).to(torch.float32)
