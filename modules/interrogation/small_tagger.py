"""The small tagger: convolutions, a mean over the picture, and one linear layer.

Its file says what its outputs mean: "easel.things" and "easel.styles" in the metadata are lists of tags,
"easel.side" the side of the square that it looks at. `tools/train_tagger.py` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import conv2d, linear, max_pool2d

from modules.checkpoints import open_tensors
from modules.errors import EaselError
from modules.foreign_json import JsonNotRead, parse_json
from modules.interrogation.pictures import as_array, squared
from modules.settings import Options

__all__ = ["SmallTagger", "load_small_tagger", "scores"]

SURE = 0.5
"""From which probability a caption names something."""
LARGEST_SIDE, WIDEST = 512, 4096
"""Pixels, and the longest side of a tensor: it works in the program itself."""
VOWELS = "aeiou"
SOUNDS_LIKE_A_CONSONANT = "uni"


def look(pictures: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    """Logits (N, tags) for `pictures` (N, 3, side, side) in 0 .. 1.

    tensors: "conv.0.weight" and "conv.0.bias" to "conv.n...", each with ReLU and halved but the last, and
    "head.weight", "head.bias".
    """
    layers = sum(name.startswith("conv.") and name.endswith(".weight") for name in tensors)
    state = pictures * 2 - 1
    for layer in range(layers):
        state = conv2d(
            state, tensors[f"conv.{layer}.weight"], tensors[f"conv.{layer}.bias"], padding=1
        ).relu()
        if layer < layers - 1:
            state = max_pool2d(state, 2)
    return linear(state.mean((2, 3)), tensors["head.weight"], tensors["head.bias"])


def scores(pictures: Tensor, tensors: Mapping[str, Tensor], things: int) -> Tensor:
    """Probabilities (N, tags) for `pictures` (N, 3, side, side) in 0 .. 1; the first `things` are of things.

    A style counts as far as a thing is recognised: of a photograph it would say nothing.
    """
    values = look(pictures, tensors).sigmoid()
    values[:, things:] *= values[:, :things].amax(1, keepdim=True)
    return values


@dataclass(frozen=True, slots=True)
class SmallTagger:
    """Knows a small world: `things` and the `styles` in which they are drawn."""

    tensors: Mapping[str, Tensor]
    things: tuple[str, ...]
    styles: tuple[str, ...]
    side: int

    @torch.inference_mode()
    def tags(self, image: Image.Image) -> dict[str, float]:
        """The probability of each tag for an RGB picture."""
        picture = torch.from_numpy(as_array(squared(image, self.side))).movedim(-1, 0)[None]
        values = scores(picture, self.tensors, len(self.things))[0].tolist()
        return dict(zip((*self.things, *self.styles), values, strict=True))

    def caption(self, image: Image.Image, options: Options) -> str:
        """A sentence as the embedded checkpoint learnt them; empty when nothing is recognised.

        The settings of other captioners have no say in it.
        """
        probabilities = self.tags(image)
        thing = max(self.things, key=probabilities.__getitem__)
        style = max(self.styles, key=probabilities.__getitem__)
        if probabilities[thing] < SURE:
            return ""
        sentence = f"a picture of {_article(thing)} {thing}"
        return f"{sentence}, {style}" if probabilities[style] >= SURE else sentence


def load_small_tagger(path: Path) -> SmallTagger:
    """The tagger in a file. Raises EaselError for one that `tools/train_tagger.py` did not make."""
    with open_tensors(path) as file:
        try:
            things, styles = (
                tuple(parse_json(file.metadata[f"easel.{key}"], key)) for key in ("things", "styles")
            )
            side = int(file.metadata["easel.side"])
            tensors = {name: file.read(name, torch.float32) for name in file.tensors}
            if not 1 <= side <= LARGEST_SIDE or any(
                max(each.shape, default=0) > WIDEST for each in tensors.values()
            ):
                raise ValueError("sizes that such a tagger does not have")
            if len(tensors["head.bias"]) != len(things) + len(styles):
                raise ValueError("another number of tags than of answers")
        except (KeyError, ValueError, TypeError, JsonNotRead) as error:
            raise EaselError(
                f"{path} is not a tagger of this program ({error}). Take it out of the folder."
            ) from error
    return SmallTagger(tensors, things, styles, side)


def _article(words: str) -> str:
    vowel = words[0].lower() in VOWELS and not words.startswith(SOUNDS_LIKE_A_CONSONANT)
    return "an" if vowel else "a"
