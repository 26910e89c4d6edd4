"""A loaded model: the parts that make pictures, and what must be known about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer, DPTForDepthEstimation

from modules.memory import DevicePolicy, Placement
from modules.sampling import Prediction

if TYPE_CHECKING:
    from modules.checkpoints.files import CheckpointFile, VaeFile

__all__ = [
    "EightBits",
    "ExtraInput",
    "Family",
    "KeptWeights",
    "Model",
    "Prediction",
    "TextTower",
    "TowerUse",
    "VectorNumber",
]


class Family(StrEnum):
    """Families of models; the value is how a person calls it."""

    SD1 = "Stable Diffusion 1"
    SD2 = "Stable Diffusion 2"
    SDXL = "Stable Diffusion XL"
    SDXL_REFINER = "Stable Diffusion XL refiner"


class ExtraInput(StrEnum):
    """What a UNet sees behind the latent's channels."""

    NONE = "nothing"
    MASK = "a mask and the picture without what is masked"
    PICTURE = "the picture that is to be edited"
    DEPTH = "a map of how near things are in the picture"


class VectorNumber(StrEnum):
    """A number that stands behind the pooled text in a conditioning's vector (Podell et al. 2023, section
    2.2). Sizes are pixels.
    """

    ORIGINAL_HEIGHT = "original height"
    ORIGINAL_WIDTH = "original width"
    CROP_TOP = "crop top"
    CROP_LEFT = "crop left"
    TARGET_HEIGHT = "target height"
    TARGET_WIDTH = "target width"
    AESTHETIC_SCORE = "aesthetic score"


class EightBits(StrEnum):
    """For which models: values of the setting `fp8_storage`."""

    NEVER = "Disable"
    XL = "Enable for SDXL"
    ALWAYS = "Enable"


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """How the weights of large layers are kept: wide, as they compute; those of the UNet and its text
    encoders in 8 bits, then perhaps with copies in half precision in the machine's own memory, to add
    networks to; or all as they are in the file, where that is in fewer bits.
    """

    eight_bits: bool = False
    exact_copies: bool = False
    as_in_file: bool = False

    @classmethod
    def of(cls, setting: str, exact_copies: bool, family: Family, policy: DevicePolicy) -> KeptWeights:
        """What the settings `fp8_storage` and `cache_fp16_weight` mean for a model under `policy`. Apple's
        devices have no such numbers.
        """
        wanted = EightBits(setting)
        is_xl = family in (Family.SDXL, Family.SDXL_REFINER)
        applies = wanted is EightBits.ALWAYS or (wanted is EightBits.XL and is_xl)
        if applies and policy.device.type != "mps":
            return cls(True, exact_copies, policy.keeps_file_types)
        return cls(as_in_file=policy.keeps_file_types)

    @property
    def of_vae(self) -> KeptWeights:
        """Likewise, of a VAE, which is never in 8 bits."""
        return KeptWeights(as_in_file=self.as_in_file)


WIDE = KeptWeights()
"""As they compute."""


@dataclass(frozen=True, slots=True)
class TowerUse:
    """What of a text tower's answer the network is given. The defaults are Stable Diffusion 1's."""

    layers_left_out: int = 0
    """From the end."""
    clip_skip: bool = True
    """Whether the setting of that name counts instead."""
    final_norm: bool = True
    pooled: bool = False
    """Whether the state at the end token, projected, is wanted too."""
    pads_with_end: bool = True
    """What stands behind the end token: end tokens, else token 0."""


@dataclass(frozen=True, slots=True)
class TextTower:
    """A text encoder with its tokenizer."""

    encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    use: TowerUse = field(default_factory=TowerUse)
    projection: nn.Linear | None = None
    """Of the pooled state."""

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All that has weights."""
        return (self.encoder, self.projection) if self.projection else (self.encoder,)


@dataclass(frozen=True, eq=False)
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
    extra_input: ExtraInput = ExtraInput.NONE
    vector_numbers: tuple[VectorNumber, ...] = ()
    """What stands behind the pooled text in a conditioning's vector; empty: there is no vector."""
    kept: KeptWeights = WIDE
    depth_estimator: DPTForDepthEstimation | None = None
    """What makes maps of depths; None also for a checkpoint that wants them, where there is none."""
    placement: Placement = field(default_factory=Placement)
    """What brings a part to the device while it computes."""

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All that has weights."""
        depth = (self.depth_estimator,) if self.depth_estimator else ()
        return (self.unet, self.vae, *self.text_modules, *depth)

    @property
    def text_modules(self) -> tuple[nn.Module, ...]:
        """Those that read texts."""
        return tuple(part for tower in self.towers for part in tower.modules)

    @property
    def nbytes(self) -> int:
        """Of all weights, in the types that they have now."""
        weights = (each for layer in self._layers for each in layer._parameters.values())
        return sum(weight.nbytes for weight in weights if weight is not None)

    @cached_property
    def _layers(self) -> tuple[nn.Module, ...]:
        """Those with parameters of their own. They are the same for as long as the model lives."""
        layers = (layer for part in self.modules for layer in part.modules())
        return tuple(layer for layer in layers if layer._parameters)
