"""Stable Diffusion 1 (Rombach et al. 2022): one CLIP text encoder, no vector."""

from modules.checkpoints.families.recipe import UNET_MARK, Recipe, TowerLayout, TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family

__all__ = ["SD1"]

TEXT = "cond_stage_model.transformer."

SD1 = Recipe(
    family=Family.SD1,
    marks=(UNET_MARK, TEXT),
    text_target="FrozenCLIPEmbedder",
    defaults=LdmConfig(),
    # The second prefix is that of early fine-tunes.
    towers=(TowerPlace(TowerLayout.CLIP, (f"{TEXT}text_model.", TEXT), "text_encoder"),),
)
