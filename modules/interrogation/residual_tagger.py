"""DeepDanbooru's residual network, custom v3, from the torch file that the field uses.

The file names the convolutions by their order, `n_Conv_0` to `n_Conv_178`, batch norms folded in, and holds
the tags beside them. How they hang together follows from their shapes: a block is 1x1, 3x3, 1x1 around which
the state is added; a projection is a further 1x1 on that way round. One that widens stands before its block;
one that does not stands behind. All but the first halve the picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

from modules.checkpoints import open_tensors, read_text_lists
from modules.errors import EaselError
from modules.interrogation.pictures import as_array, squared
from modules.interrogation.tag_lists import RATING_PREFIX
from modules.interrogation.tags import named_probabilities
from modules.memory import DevicePolicy

__all__ = ["Block", "ResidualTagger", "load_residual_tagger", "plan_blocks"]

SIDE = 512
NAME = re.compile(r"n_Conv_(\d+)\.weight")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The numbers of a block's convolutions: reduce (1x1), look (3x3), widen (1x1)."""

    first: int
    projection: int | None
    halves: bool
    """Whether the picture has half the side behind it."""


def plan_blocks(shapes: Sequence[Shape]) -> list[Block]:
    """The blocks between the first convolution and the last, from the weights' `shapes`, in order.

    Raises ValueError for shapes that are not of this kind of network.
    """
    blocks: list[Block] = []
    at, last = 1, len(shapes) - 1
    while at < last:
        leads = shapes[at + 1][2] == 1
        first = at + leads
        if [shape[2] for shape in shapes[first : first + 3]] != [1, 3, 1]:
            raise ValueError(f"convolutions {first} to {first + 2} are no block")
        width, behind = shapes[first + 2][0], first + 3
        # Behind a block, 1x1 and again 1x1: the next block's projection if it widens, else this one's own.
        follows = behind < last and shapes[behind + 1][2] == 1 and shapes[behind][0] == width
        if leads or follows:
            projection = at if leads else behind
            blocks.append(Block(first, projection, halves=bool(blocks)))
        else:
            blocks.append(Block(first, None, halves=False))
        at = behind + follows
    return blocks


@dataclass(frozen=True, slots=True)
class ResidualTagger:
    """The network's weights in order, (out, in, k, k) and (out,), and how they hang together."""

    name: str
    weights: Sequence[tuple[Tensor, Tensor]]
    blocks: Sequence[Block]
    tags_in_order: tuple[str | None, ...]

    @torch.inference_mode()
    def tags(self, image: Image.Image) -> dict[str, float]:
        """The probability of each tag for an RGB picture."""
        picture = torch.from_numpy(as_array(squared(image, SIDE))).movedim(-1, 0)[None]
        first = self.weights[0][0]
        values = self.probabilities(picture.to(first.device, first.dtype))
        return named_probabilities(self.name, self.tags_in_order, values[0].float().cpu().numpy())

    def probabilities(self, picture: Tensor) -> Tensor:
        """(N, tags) for `picture` (N, 3, H, W) in 0 .. 1."""
        state = conv2d(pad(picture, (2, 3, 2, 3)), *self.weights[0], stride=2).relu()
        state = max_pool2d(pad(state, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        for block in self.blocks:
            state = self._through(block, state)
        return conv2d(state, *self.weights[-1]).mean((2, 3)).sigmoid()

    def _through(self, block: Block, state: Tensor) -> Tensor:
        reduce, look, widen = self.weights[block.first : block.first + 3]
        stride = 2 if block.halves else 1
        # Even sides that are halved get their margin on one side alone.
        margin = (0, 1, 0, 1) if block.halves else (1, 1, 1, 1)
        inner = conv2d(pad(conv2d(state, *reduce).relu(), margin), *look, stride=stride).relu()
        around = state
        if block.projection is not None:
            around = conv2d(state, *self.weights[block.projection], stride=stride)
        return (conv2d(inner, *widen) + around).relu()


def load_residual_tagger(path: Path, policy: DevicePolicy) -> ResidualTagger:
    """The tagger in a torch file, read without running anything of it.

    Raises EaselError for a file that is no such network.
    """
    tags = read_text_lists(path).get("tags", [])
    with open_tensors(path) as file:
        numbers = sorted(int(match[1]) for name in file.tensors if (match := NAME.fullmatch(name)))
        names = [(f"n_Conv_{number}.weight", f"n_Conv_{number}.bias") for number in numbers]
        try:
            _check(numbers, tags)
            blocks = plan_blocks([file.tensors[weight].shape for weight, _ in names])
            weights = [
                (file.read(weight, policy.dtype, policy.device), file.read(bias, policy.dtype, policy.device))
                for weight, bias in names
            ]
        except (ValueError, KeyError, IndexError) as error:
            raise EaselError(
                f"{path} is not DeepDanbooru's network for torch ({error}). "
                "Put model-resnet_custom_v3.pt or an ONNX tagger in its place."
            ) from error
    known = tuple(None if tag.startswith(RATING_PREFIX) else tag for tag in tags)
    return ResidualTagger(path.name, weights, blocks, known)


def _check(numbers: Sequence[int], tags: Sequence[str]) -> None:
    if not tags:
        raise ValueError("it holds no tags")
    if len(numbers) < 2 or numbers != list(range(len(numbers))):
        raise ValueError("it holds no convolutions n_Conv_0, n_Conv_1 and so on")
