"""From a checkpoint file to a model in memory. No network, ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel

from modules.checkpoints.assembly import Blueprint
from modules.checkpoints.families import Sd1Plan, plan_sd1, plan_vae, recognise_family
from modules.checkpoints.files import CheckpointFile, VaeFile
from modules.checkpoints.ldm_config import LdmConfig, read_ldm_config
from modules.checkpoints.model import Family, Model
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.tensor_file import TensorFile
from modules.errors import EaselError
from modules.memory import DevicePolicy

__all__ = ["ModelPlan", "load_model", "plan_model", "with_vae"]

DEFAULT_CONFIG = "v1-inference.yaml"
TIMESTEPS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class ModelPlan:
    """A checkpoint that was looked through and found whole; its numbers are not in memory yet."""

    checkpoint: CheckpointFile
    family: Family
    vae_file: VaeFile | None
    _config: LdmConfig
    _parts: Sd1Plan
    _vae: Blueprint[AutoencoderKL]

    @property
    def unet(self) -> UNet2DConditionModel:
        """The UNet that will be filled: its sizes can be asked for, it has no numbers yet. So have the two
        below.
        """
        return self._parts.unet.module

    @property
    def vae(self) -> AutoencoderKL:
        """The VAE that will be filled."""
        return self._vae.module

    @property
    def text_encoder(self) -> CLIPTextModel:
        """The text encoder that will be filled."""
        return self._parts.tower.encoder.module

    def load(self, policy: DevicePolicy) -> Model:
        """Read the model into memory. May be called once."""
        vae = self._vae.build(policy.vae_dtype, policy.device)
        return Model(
            checkpoint=self.checkpoint,
            family=self.family,
            prediction=self._config.prediction,
            unet=self._parts.unet.build(policy.dtype, policy.device),
            vae=vae,
            towers=(self._parts.tower.build(policy),),
            alphas_cumprod=_alphas_cumprod(self._config),
            latent_scale=self._config.scale_factor,
            latent_channels=vae.config.latent_channels,
            policy=policy,
            vae_file=self.vae_file,
        )


@contextmanager
def plan_model(
    file: CheckpointFile, configs: Path, vae: VaeFile | None = None, *, mapped: bool = True
) -> Iterator[ModelPlan]:
    """Open and check a checkpoint and its VAE, the file `vae` where one is given; inside, `load` reads it.

    Between the two whoever owns another model can let go of it, so that memory holds one model at a time
    and a broken file costs nothing. configs: the folder of Easel's model configurations and tokenizer.
    mapped: see `open_tensors`. Raises EaselError, saying what is wrong with which file.
    """
    with ExitStack() as files:
        tensors = files.enter_context(open_tensors(file.path, mapped=mapped))
        config = read_ldm_config(file.config_path or configs / DEFAULT_CONFIG)
        family = recognise_family(file.path, tensors.tensors, config if file.config_path else None)
        if family is not Family.SD1:
            raise EaselError(
                f"{file.name} is a {family} checkpoint. This version draws with {Family.SD1} only; "
                "choose a checkpoint of that family."
            )
        parts = plan_sd1(tensors, config, configs)
        source = files.enter_context(open_tensors(vae.path, mapped=mapped)) if vae else tensors
        part = _fitting_vae(source, config.scale_factor, parts.unet.module.config.out_channels)
        yield ModelPlan(file, family, vae, config, parts, part)


def load_model(
    file: CheckpointFile,
    policy: DevicePolicy,
    configs: Path,
    vae: VaeFile | None = None,
    *,
    mapped: bool = True,
) -> Model:
    """Load a checkpoint in one go; see `plan_model`. Its hash is then computed in the background."""
    with plan_model(file, configs, vae, mapped=mapped) as plan:
        model = plan.load(policy)
    file.hash_later()
    return model


def with_vae(model: Model, vae: VaeFile | None) -> Model:
    """The same model with the VAE of the file `vae`, or with the checkpoint's own for None.

    Nothing else is loaded anew, and `model` itself is not changed. Raises EaselError for a VAE that does
    not fit.
    """
    if vae == model.vae_file:
        return model
    with open_tensors((vae or model.checkpoint).path) as tensors:
        blueprint = _fitting_vae(tensors, model.latent_scale, model.latent_channels)
        part = blueprint.build(model.policy.vae_dtype, model.policy.device)
    return replace(model, vae=part, vae_file=vae)


def _fitting_vae(file: TensorFile, scale: float, latent_channels: int) -> Blueprint[AutoencoderKL]:
    blueprint = plan_vae(file, scale)
    found = blueprint.module.config.latent_channels
    if found != latent_channels:
        raise EaselError(
            f"The VAE in {file.path.name} makes latents of {found} channels, the checkpoint needs "
            f"{latent_channels}. Choose another VAE in the settings."
        )
    return blueprint


def _alphas_cumprod(config: LdmConfig) -> Tensor:
    """The products of 1 - beta, (1000,) float32, over "scaled linear" betas (Rombach et al. 2022).

    Computed in float64, as the recorded program does.
    """
    ends = config.linear_start**0.5, config.linear_end**0.5
    roots = torch.linspace(*ends, TIMESTEPS, dtype=torch.float64)
    return torch.cumprod(1.0 - roots**2, dim=0).to(torch.float32)
