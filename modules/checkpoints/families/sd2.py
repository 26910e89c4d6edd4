"""Stable Diffusion 2: an OpenCLIP text encoder, heads of 64 channels; half of the files predict v."""

from modules.checkpoints.families.recipe import UNET_MARK, Recipe, TowerLayout, TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, TowerUse

__all__ = ["SD2"]

TEXT = "cond_stage_model.model."

SD2 = Recipe(
    family=Family.SD2,
    marks=(UNET_MARK, TEXT),
    text_target="FrozenOpenCLIPEmbedder",
    defaults=LdmConfig(num_head_channels=64, text_names=("ViT-H-14",)),
    towers=(
        TowerPlace(
            TowerLayout.OPEN_CLIP,
            (TEXT,),
            "text_encoder",
            TowerUse(layers_left_out=1, clip_skip=False, pads_with_end=False),
            cut_layers=23,
        ),
    ),
    tries_prediction=True,
)
