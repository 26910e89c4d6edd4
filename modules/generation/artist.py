"""Who draws: a loaded model with what belongs to it."""

from collections.abc import Callable
from dataclasses import dataclass

from modules.checkpoints import Model
from modules.conditioning import PromptEncoder
from modules.generation.preview import LinearPreview

__all__ = ["Artist"]


@dataclass(frozen=True)
class Artist:
    """A loaded model, the encoder of its prompts, and its preview map, fitted when first asked for."""

    model: Model
    encoder: PromptEncoder
    preview: Callable[[], LinearPreview]
