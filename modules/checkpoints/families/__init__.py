"""The families of models: one file each says how to build it; `recognition` tells them apart."""

from modules.checkpoints.families.recognition import recognise_family
from modules.checkpoints.families.sd1 import Sd1Plan, plan_sd1, plan_vae

__all__ = ["Sd1Plan", "plan_sd1", "plan_vae", "recognise_family"]
