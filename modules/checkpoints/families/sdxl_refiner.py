"""The refiner of Stable Diffusion XL: the second of its text encoders alone, and in the vector an aesthetic
score in the place of the target size.
"""

from modules.checkpoints.families.recipe import UNET_MARK, Recipe
from modules.checkpoints.families.sdxl import big_g
from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.model import Family, VectorNumber

__all__ = ["SDXL_REFINER"]

TEXT = "conditioner.embedders.0.model."

SDXL_REFINER = Recipe(
    family=Family.SDXL_REFINER,
    marks=(UNET_MARK, TEXT),
    text_target="GeneralConditioner",
    defaults=LdmConfig(scale_factor=0.13025, num_head_channels=64, text_names=("ViT-bigG-14",)),
    towers=(big_g(TEXT),),
    vector_numbers=(
        VectorNumber.ORIGINAL_HEIGHT,
        VectorNumber.ORIGINAL_WIDTH,
        VectorNumber.CROP_TOP,
        VectorNumber.CROP_LEFT,
        VectorNumber.AESTHETIC_SCORE,
    ),
)
