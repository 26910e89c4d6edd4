"""The families of models: one file each says how to recognise it and how to build it."""

from modules.checkpoints.families.recognition import recognise_family
from modules.checkpoints.families.sd1 import build_sd1

__all__ = ["build_sd1", "recognise_family"]
