"""Token merging (Bolya and Hoffman 2023, https://arxiv.org/abs/2303.17604): self-attention over fewer tokens.

Of each square of 2 by 2 cells the first is kept. Of the others, those most like one of the kept are averaged
into it before the attention, and take its answer afterwards. Only where the UNet works at the latent's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.run import Run

__all__ = ["Merge", "hires_ratio", "merge_of", "merged_tokens", "merging_ratio"]

STRIDE = 2


def merging_ratio(run: Run) -> float:
    """The share of tokens that is merged in the first pass; 0: none."""
    options = run.options
    own = options.token_merging_ratio_img2img if isinstance(run.request, Img2ImgRequest) else 0.0
    return own or options.token_merging_ratio


def hires_ratio(run: Run) -> float:
    """The same for the hires pass."""
    return run.options.token_merging_ratio_hr or run.options.token_merging_ratio


@dataclass(frozen=True)
class Merge:
    """Which of N tokens are merged, for each of B pictures. `kept` (D,), the rest: `merged` (B, r) into the
    kept number `into` (B, r), `single` (B, N - D - r) as they are. `count` is N.
    """

    kept: Tensor
    single: Tensor
    merged: Tensor
    into: Tensor
    count: int

    def joined(self, x: Tensor) -> Tensor:
        """x (B, N, C) as (B, N - r, C): the single ones, then the kept, each with its share."""
        into = self.into[..., None].expand(-1, -1, x.shape[2])
        kept = x[:, self.kept].scatter_reduce(1, into, _rows(x, self.merged), reduce="mean")
        return torch.cat([_rows(x, self.single), kept], dim=1)

    def parted(self, y: Tensor) -> Tensor:
        """y (B, N - r, C) as (B, N, C): what was merged has what became of its mean."""
        single, kept = y[:, : self.single.shape[1]], y[:, self.single.shape[1] :]
        x = y.new_empty(y.shape[0], self.count, y.shape[2])
        x[:, self.kept] = kept
        for places, values in ((self.single, single), (self.merged, _rows(kept, self.into))):
            x.scatter_(1, places[..., None].expand_as(values), values)
        return x


def _rows(x: Tensor, places: Tensor) -> Tensor:
    """The rows `places` (B, n) of x (B, N, C)."""
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))


def merge_of(x: Tensor, height: int, width: int, ratio: float) -> Merge | None:
    """How tokens x (B, height * width, C) are merged so that `ratio` of them go; None where none does."""
    grid = torch.zeros(height, width, dtype=torch.bool, device=x.device)
    grid[: height // STRIDE * STRIDE : STRIDE, : width // STRIDE * STRIDE : STRIDE] = True
    kept, others = grid.flatten().nonzero()[:, 0], (~grid.flatten()).nonzero()[:, 0]
    count = min(int(x.shape[1] * ratio), len(others))
    if count <= 0 or not len(kept):
        return None
    units = x / x.norm(dim=-1, keepdim=True)
    likeness, nearest = (units[:, others] @ units[:, kept].transpose(1, 2)).max(dim=-1)
    order = likeness.argsort(dim=-1, descending=True)
    merged, single = order[:, :count], order[:, count:]
    return Merge(kept, others[single], others[merged], nearest.gather(1, merged), x.shape[1])


class _Attention:
    """The hooks on one transformer block: they see its tokens, and the self-attention's input and answer."""

    def __init__(self, size: list[int], ratio: float) -> None:
        self._size, self._ratio = size, ratio
        self._merge: Merge | None = None

    def tokens(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        x, (height, width) = inputs[0], self._size
        self._merge = merge_of(x, height, width, self._ratio) if x.shape[1] == height * width else None

    def before(self, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return (self._merge.joined(inputs[0]), *inputs[1:]) if self._merge else None

    def after(self, _: nn.Module, inputs: tuple[Any, ...], answer: Tensor) -> Tensor:
        return self._merge.parted(answer) if self._merge else answer


@contextmanager
def merged_tokens(unet: nn.Module, ratio: float) -> Iterator[None]:
    """While it lasts, `unet` merges the share `ratio` (0 .. 1) of the tokens of its self-attention where it
    works at the latent's size.
    """
    size = [0, 0]

    def look(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        size[:] = inputs[0].shape[-2:]

    with ExitStack() as hooks:
        if ratio > 0:
            hooks.callback(unet.register_forward_pre_hook(look).remove)
            for block in unet.modules():
                attention = getattr(block, "attn1", None)
                if isinstance(attention, nn.Module):
                    hook = _Attention(size, ratio)
                    hooks.callback(block.register_forward_pre_hook(hook.tokens).remove)
                    hooks.callback(attention.register_forward_pre_hook(hook.before).remove)
                    hooks.callback(attention.register_forward_hook(hook.after).remove)
        yield
