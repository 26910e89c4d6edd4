"""The families of models: one file each says how to recognise, build, condition and sample it.

A new family of this kind (a UNet over noise levels) is such a file and its name in `FAMILIES`. One of another
kind (flow matching: Stable Diffusion 3.5, Flux) needs a layout of its network beside `unet_layout` and a kind
of `Prediction` besides.
"""

from modules.checkpoints.families.recipe import Recipe, TowerLayout, TowerPlace
from modules.checkpoints.families.sd1 import SD1
from modules.checkpoints.families.sd2 import SD2
from modules.checkpoints.families.sdxl import SDXL
from modules.checkpoints.families.sdxl_refiner import SDXL_REFINER

__all__ = ["FAMILIES", "Recipe", "TowerLayout", "TowerPlace"]

FAMILIES: tuple[Recipe, ...] = (SDXL, SDXL_REFINER, SD2, SD1)
