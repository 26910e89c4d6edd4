"""From a checkpoint file to a model in memory. No network, ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, DPTForDepthEstimation

from modules.checkpoints.assembly import Blueprint
from modules.checkpoints.depth import plan_depth_estimator
from modules.checkpoints.diffusers_folder import config_of_folder, recipe_of_folder
from modules.checkpoints.families import Recipe
from modules.checkpoints.files import CheckpointFile, VaeFile
from modules.checkpoints.ldm_config import LdmConfig, read_ldm_config
from modules.checkpoints.model import WIDE, ExtraInput, Family, KeptWeights, Model, Prediction, VectorNumber
from modules.checkpoints.opened import OpenedCheckpoint, open_checkpoint
from modules.checkpoints.parts import extra_input_of, plan_unet, plan_vae
from modules.checkpoints.prediction import told_prediction, tried_prediction
from modules.checkpoints.recognition import recognise
from modules.checkpoints.sources import Sources
from modules.checkpoints.towers import TowerPlan, plan_tower
from modules.errors import UnusableFile
from modules.memory import DevicePolicy, Placement
from modules.sampling import zero_terminal_snr

__all__ = ["ModelPlan", "PlannedWeights", "load_model", "plan_model", "with_vae"]

TIMESTEPS = 1000


@dataclass(frozen=True, slots=True)
class PlannedWeights:
    """Bytes of a model's weights: of its text encoders, of its VAE, of each parameter of its UNet."""

    texts: int
    vae: int
    of_unet: Mapping[nn.Parameter, int]


@dataclass(frozen=True, slots=True, eq=False)
class ModelPlan:
    """A checkpoint that was looked through and found whole; its numbers are not in memory yet."""

    checkpoint: CheckpointFile
    vae_file: VaeFile | None
    extra_input: ExtraInput
    _recipe: Recipe
    _config: LdmConfig
    _prediction: Prediction | None
    _zero_terminal_snr: bool
    _unet: Blueprint[UNet2DConditionModel]
    _towers: tuple[TowerPlan, ...]
    _vae: Blueprint[AutoencoderKL]
    _depth: Blueprint[DPTForDepthEstimation] | None

    @property
    def family(self) -> Family:
        """What kind of model it is."""
        return self._recipe.family

    @property
    def unet(self) -> UNet2DConditionModel:
        """The UNet that will be filled: its sizes can be asked for, it has no numbers yet. So have the two
        below.
        """
        return self._unet.module

    @property
    def vae(self) -> AutoencoderKL:
        """The VAE that will be filled."""
        return self._vae.module

    @property
    def text_encoders(self) -> tuple[CLIPTextModel, ...]:
        """The text encoders that will be filled."""
        return tuple(tower.encoder.module for tower in self._towers)

    @property
    def vector_numbers(self) -> tuple[VectorNumber, ...]:
        """What stands behind the pooled text in a conditioning's vector; empty: there is no vector."""
        return self._recipe.vector_numbers

    @property
    def sources(self) -> tuple[Sources, ...]:
        """Where the numbers of the UNet lie, then those of each text encoder, by the parameters' names."""
        return self._unet.sources, *(tower.encoder.sources for tower in self._towers)

    def weights(self, policy: DevicePolicy, kept: KeptWeights) -> PlannedWeights:
        """What the parameters take in memory once they are read so."""
        texts = [tower.weight_bytes(policy.dtype, kept) for tower in self._towers]
        return PlannedWeights(
            texts=sum(sum(tower.values()) for tower in texts),
            vae=sum(self._vae.weight_bytes(policy.vae_dtype, kept.of_vae).values()),
            of_unet=self._unet.weight_bytes(policy.dtype, kept),
        )

    def load(
        self, policy: DevicePolicy, kept: KeptWeights = WIDE, placement: Placement | None = None
    ) -> Model:
        """Read the model into memory; `kept`: how the weights of its large layers are there; `placement`:
        where, and who moves them, else all stays on the device. May be called once.
        """
        placement = placement or Placement(policy.device)
        dtype, place = policy.dtype, placement.resting_place
        vae = self._vae.build(policy.vae_dtype, place, kept.of_vae)
        unet = self._unet.build(dtype, place, kept)
        alphas = _alphas_cumprod(self._config)
        return Model(
            checkpoint=self.checkpoint,
            family=self.family,
            prediction=self._prediction or self._found_prediction(unet, placement),
            unet=unet,
            vae=vae,
            towers=tuple(tower.build(dtype, place, kept) for tower in self._towers),
            alphas_cumprod=zero_terminal_snr(alphas) if self._zero_terminal_snr else alphas,
            latent_scale=self._config.scale_factor,
            latent_channels=vae.config.latent_channels,
            policy=policy,
            vae_file=self.vae_file,
            extra_input=self.extra_input,
            vector_numbers=self.vector_numbers,
            kept=kept,
            depth_estimator=self._depth.build(dtype, place) if self._depth else None,
            placement=placement,
        )

    def _found_prediction(self, unet: UNet2DConditionModel, placement: Placement) -> Prediction:
        if not self._recipe.tries_prediction:
            return Prediction.EPSILON
        with placement.at_work(unet, by_blocks=True):
            return tried_prediction(unet)


@contextmanager
def plan_model(
    file: CheckpointFile,
    configs: Path,
    vae: VaeFile | None = None,
    *,
    depth: Path | None = None,
) -> Iterator[ModelPlan]:
    """Open and check a checkpoint and its VAE, the file `vae` where one is given; inside, `load` reads it.

    Between the two whoever owns another model can let go of it, so that memory holds one model at a time
    and a broken file costs nothing. configs: the folder of Easel's model configurations and tokenizer.
    depth: the folder of a depth estimator for checkpoints that want one and hold none. Raises EaselError,
    saying what is wrong with which file.
    """
    with ExitStack() as files:
        opened = files.enter_context(open_checkpoint(file.path))
        recipe, config = _told(file, opened)
        towers = tuple(
            plan_tower(opened, place, number, config, configs) for number, place in enumerate(recipe.towers)
        )
        unet = plan_unet(opened, config)
        _check_vector(opened, recipe, unet.module)
        source = files.enter_context(open_checkpoint(vae.path)) if vae else opened
        part = _fitting_vae(source, config.scale_factor, unet.module.config.out_channels)
        extra, prediction = extra_input_of(opened, unet.module), told_prediction(opened, config)
        estimator = plan_depth_estimator(opened, depth, files) if extra is ExtraInput.DEPTH else None
        yield ModelPlan(file, vae, extra, recipe, config, *prediction, unet, towers, part, estimator)


def load_model(
    file: CheckpointFile,
    policy: DevicePolicy,
    configs: Path,
    vae: VaeFile | None = None,
) -> Model:
    """Load a checkpoint in one go; see `plan_model`. Its hash is then computed in the background."""
    with plan_model(file, configs, vae) as plan:
        model = plan.load(policy, KeptWeights(as_in_file=policy.keeps_file_types))
    file.hash_later()
    return model


def with_vae(model: Model, vae: VaeFile | None) -> Model:
    """The same model with the VAE of the file `vae`, or with the checkpoint's own for None.

    Nothing else is loaded anew, and `model` itself is not changed. Raises EaselError for a VAE that does
    not fit.
    """
    with open_checkpoint((vae or model.checkpoint).path) as opened:
        blueprint = _fitting_vae(opened, model.latent_scale, model.latent_channels)
        place = model.placement.resting_place
        part = blueprint.build(model.policy.vae_dtype, place, model.kept.of_vae)
    return replace(model, vae=part, vae_file=vae)


def _told(file: CheckpointFile, opened: OpenedCheckpoint) -> tuple[Recipe, LdmConfig]:
    """The family's recipe, and the facts that the configuration tells, or the recipe where it does not."""
    if opened.configs:
        recipe = recipe_of_folder(opened.configs)
        return recipe, config_of_folder(opened.path, opened.configs, recipe)
    named = read_ldm_config(file.config_path) if file.config_path else None
    recipe = recognise(file.path, opened.sources, named)
    if file.config_path:
        return recipe, read_ldm_config(file.config_path, recipe.defaults)
    return recipe, recipe.defaults


def _check_vector(opened: OpenedCheckpoint, recipe: Recipe, unet: UNet2DConditionModel) -> None:
    has_vector = unet.config.addition_embed_type is not None or unet.config.class_embed_type is not None
    if has_vector != bool(recipe.vector_numbers):
        raise UnusableFile(
            f"The UNet in {opened.name} is not that of a {recipe.family} model, as its text encoder is: it "
            "is of a kind that Easel does not know."
        )


def _fitting_vae(opened: OpenedCheckpoint, scale: float, latent_channels: int) -> Blueprint[AutoencoderKL]:
    blueprint = plan_vae(opened, scale)
    found = blueprint.module.config.latent_channels
    if found != latent_channels:
        raise UnusableFile(
            f"The VAE in {opened.name} makes latents of {found} channels, the checkpoint needs "
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
