"""Who draws: a loaded model with what belongs to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modules.adapters import MetEmbeddings, Worn
from modules.checkpoints import Model
from modules.conditioning import PromptEncoder
from modules.generation.preview import LinearPreview
from modules.memory import AttentionKind, lightest_attention
from modules.prompts import NetworkTag

__all__ = ["Artist"]


@dataclass(frozen=True)
class Artist:
    """A loaded model, the encoder of its prompts, its preview map, fitted when first asked for, and how its
    attention is computed.

    `dress` puts the adapters of a prompt's tags on the model, and takes off all others; `embeddings` are
    those that the encoder has met. `attending` is the same artist with another attention.
    """

    model: Model
    encoder: PromptEncoder
    preview: Callable[[], LinearPreview]
    attention: AttentionKind
    upcast_attention: bool
    dress: Callable[[Sequence[NetworkTag]], Worn]
    embeddings: MetEmbeddings
    attending: "Callable[[AttentionKind], Artist]"

    def with_light_attention(self) -> "Artist":
        """The same, attention computed with the least memory; itself where it is already."""
        kind = lightest_attention(self.attention, self.model.policy.device)
        return self if self.upcast_attention or kind is self.attention else self.attending(kind)
