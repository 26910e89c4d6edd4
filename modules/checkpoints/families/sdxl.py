"""Stable Diffusion XL (Podell et al. 2023, https://arxiv.org/abs/2307.01952): two text encoders side by side,
and a vector of the second's pooled answer and the sizes of the picture.
"""

from modules.checkpoints.families.recipe import UNET_MARK, Recipe, TowerLayout, TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, TowerUse, VectorNumber

__all__ = ["SDXL"]

FIRST = "conditioner.embedders.0.transformer."
SECOND = "conditioner.embedders.1.model."

SDXL = Recipe(
    family=Family.SDXL,
    marks=(UNET_MARK, FIRST, SECOND),
    text_target="GeneralConditioner",
    defaults=LdmConfig(
        scale_factor=0.13025,
        num_head_channels=64,
        text_names=("openai/clip-vit-large-patch14", "ViT-bigG-14"),
    ),
    towers=(
        TowerPlace(
            TowerLayout.CLIP,
            (f"{FIRST}text_model.", FIRST),
            "text_encoder",
            TowerUse(layers_left_out=1, clip_skip=False, final_norm=False),
        ),
        TowerPlace(
            TowerLayout.OPEN_CLIP,
            (SECOND,),
            "text_encoder_2",
            TowerUse(layers_left_out=1, clip_skip=False, final_norm=False, pooled=True, pads_with_end=False),
        ),
    ),
    vector_numbers=(
        VectorNumber.ORIGINAL_HEIGHT,
        VectorNumber.ORIGINAL_WIDTH,
        VectorNumber.CROP_TOP,
        VectorNumber.CROP_LEFT,
        VectorNumber.TARGET_HEIGHT,
        VectorNumber.TARGET_WIDTH,
    ),
)
