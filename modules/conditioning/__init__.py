"""From prompts to what the network is conditioned on: tokens, chunks, text encoder, emphasis, schedules."""

from modules.conditioning.cache import EncodingCache
from modules.conditioning.counting import PromptCounter
from modules.conditioning.options import ConditioningOptions
from modules.conditioning.prompt_encoder import PromptEncoder
from modules.conditioning.stream import EmbeddingLookup, Insertion
from modules.conditioning.tokens import tokenise
from modules.conditioning.types import Conditioning, GuidedPart, Scheduled, same_length

__all__ = [
    "Conditioning",
    "ConditioningOptions",
    "EmbeddingLookup",
    "EncodingCache",
    "GuidedPart",
    "Insertion",
    "PromptCounter",
    "PromptEncoder",
    "Scheduled",
    "same_length",
    "tokenise",
]
