"""The prompt language: pure functions from text to pieces of text, weights and steps. No torch.

Order of reading: styles are applied (`styles`), comments and network tags are taken out, the text is split at
AND, each part is scheduled, each scheduled text is read for emphasis.
"""

from modules.prompts.comments import strip_comments
from modules.prompts.composition import PromptPart, split_and
from modules.prompts.emphasis import BREAK, Emphasis, Weighted, parse_emphasis
from modules.prompts.literal import literal_words
from modules.prompts.networks import (
    HYPERNETWORK_KINDS,
    KNOWN_KINDS,
    LORA_KINDS,
    NetworkTag,
    network_tag,
    take_network_tags,
)
from modules.prompts.schedule import ScheduledText, schedule_prompt
from modules.prompts.style_texts import apply_style_texts, drawn_prompt
from modules.prompts.styles import ExtractedStyles, PromptStyle, StyleBook

__all__ = [
    "BREAK",
    "HYPERNETWORK_KINDS",
    "KNOWN_KINDS",
    "LORA_KINDS",
    "Emphasis",
    "ExtractedStyles",
    "NetworkTag",
    "PromptPart",
    "PromptStyle",
    "ScheduledText",
    "StyleBook",
    "Weighted",
    "apply_style_texts",
    "drawn_prompt",
    "literal_words",
    "network_tag",
    "parse_emphasis",
    "schedule_prompt",
    "split_and",
    "strip_comments",
    "take_network_tags",
]
