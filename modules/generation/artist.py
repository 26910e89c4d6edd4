"""Who draws: a loaded model with what belongs to it."""

from collections.abc import Callable
from dataclasses import dataclass

from modules.checkpoints import Model
from modules.conditioning import PromptEncoder
from modules.generation.preview import LinearPreview
from modules.memory import AttentionKind

__all__ = ["Artist"]


@dataclass(frozen=True)
class Artist:
    """A loaded model, the encoder of its prompts, its preview map, fitted when first asked for, and how its
    attention is computed.
    """

    model: Model
    encoder: PromptEncoder
    preview: Callable[[], LinearPreview]
    attention: AttentionKind
    upcast_attention: bool
