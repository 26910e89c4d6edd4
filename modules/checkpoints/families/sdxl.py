"""Stable Diffusion XL (Podell et al. 2023, https://arxiv.org/abs/2307.01952): two text encoders side by side,
and a vector of the second's pooled answer and the sizes of the picture.
"""

from modules.checkpoints.families.recipe import UNET_MARK, Recipe, TowerLayout, TowerPlace
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, TowerUse, VectorNumber

__all__ = ["SDXL", "big_g"]

FIRST = "conditioner.embedders.0.transformer."
SECOND = "conditioner.embedders.1.model."


def big_g(prefix: str) -> TowerPlace:
    """The larger text encoder of the family, at `prefix` in the file."""
    use = TowerUse(layers_left_out=1, clip_skip=False, final_norm=False, pooled=True, pads_with_end=False)
    return TowerPlace(TowerLayout.OPEN_CLIP, (prefix,), "text_encoder_2", use)


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
        big_g(SECOND),
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
