"""What the pictures of a pass are told."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from modules.sampling.guidance import Parts, Timeline

__all__ = ["Prompts"]


@dataclass(frozen=True)
class Prompts:
    """One entry a picture.

    `empty` (77, D) is the empty prompt's context, wanted only for `pad_cond_uncond`. `extra_input` (1 or B,
    E, h, w) is what inpainting checkpoints see behind the latent's channels, and
    `picture_scale` the guidance towards it.
    """

    positive: Sequence[Parts]
    negative: Sequence[Timeline]
    empty: Tensor | None = None
    extra_input: Tensor | None = None
    picture_scale: float = 1.0
