"""What is on a picture, in words: captions and tags, by models that lie in the user's folders."""

from modules.interrogation.describing import Description, Interrogation
from modules.interrogation.describing_process import DescribingProcess
from modules.interrogation.offers import CAPTION, TAGS, Offer, Wanted
from modules.interrogation.pictures import on_white
from modules.interrogation.placing import choose_interrogation_policy

__all__ = [
    "CAPTION",
    "TAGS",
    "DescribingProcess",
    "Description",
    "Interrogation",
    "Offer",
    "Wanted",
    "choose_interrogation_policy",
    "on_white",
]
