"""The sections of the Settings page, in its order. A new option is one field in one of these files."""

from modules.settings.sections.api import Api
from modules.settings.sections.interrogating import Interrogate
from modules.settings.sections.making import Infotext, LivePreviews, SamplerParameters
from modules.settings.sections.model import (
    Compatibility,
    Optimizations,
    StableDiffusion,
    StableDiffusionXl,
    Vae,
)
from modules.settings.sections.networks import ExtraNetworks
from modules.settings.sections.page import Gallery, PromptEditing, UiAlternatives, UserInterface
from modules.settings.sections.queue import Queue
from modules.settings.sections.redrawing import Img2Img
from modules.settings.sections.saving import SavingImages, SavingPaths, SavingToFolders

__all__ = [
    "Api",
    "Compatibility",
    "ExtraNetworks",
    "Gallery",
    "Img2Img",
    "Infotext",
    "Interrogate",
    "LivePreviews",
    "Optimizations",
    "PromptEditing",
    "Queue",
    "SamplerParameters",
    "SavingImages",
    "SavingPaths",
    "SavingToFolders",
    "StableDiffusion",
    "StableDiffusionXl",
    "UiAlternatives",
    "UserInterface",
    "Vae",
]
