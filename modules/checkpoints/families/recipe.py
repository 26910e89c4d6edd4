"""What a family's file says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, TowerUse, VectorNumber

__all__ = ["UNET_MARK", "Recipe", "TowerLayout", "TowerPlace"]

UNET_MARK = "model.diffusion_model.input_blocks.0.0.weight"


SD1_USE = TowerUse()


class TowerLayout(StrEnum):
    """How a text encoder's tensors are called in single-file checkpoints."""

    CLIP = "clip"
    OPEN_CLIP = "open clip"


@dataclass(frozen=True, slots=True)
class TowerPlace:
    """Where one text encoder of a family lies, and what of its answer is used."""

    layout: TowerLayout
    prefixes: tuple[str, ...]
    """Beginnings of its tensors' names in single files; the first that is there counts."""
    folder: str
    """Its folder in diffusers' layout, where it always has CLIP's names."""
    use: TowerUse = SD1_USE
    cut_layers: int | None = None
    """Layers of towers from which those that `use` leaves out were taken away already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to recognise, build, condition and sample the models of a family."""

    family: Family

    # recognise
    marks: tuple[str, ...]
    """Each begins the name of one of its tensors, in a single file."""
    text_target: str
    """The class of the text encoder in LDM configurations."""

    # build
    defaults: LdmConfig
    """What tensors do not tell, where no configuration does."""
    towers: tuple[TowerPlace, ...]

    # condition
    vector_numbers: tuple[VectorNumber, ...] = ()
    """What stands behind the pooled text in a conditioning's vector; empty: there is no vector."""

    # sample
    tries_prediction: bool = False
    """Whether a file that does not say what its network predicts has to be tried."""
