"""All text towers of a model over texts, and the numbers that stand beside what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from modules.checkpoints import Model, VectorNumber
from modules.conditioning.cache import EncodingCache
from modules.conditioning.options import ConditioningOptions
from modules.conditioning.stream import EmbeddingLookup
from modules.conditioning.tower_encoder import EncodedText, TowerEncoder
from modules.conditioning.types import Conditioning

__all__ = ["Size", "TextEncoder"]

Size = tuple[int, int]
"""Width and height in pixels."""


class TextEncoder:
    """Texts to conditionings: the towers' states side by side, and where the family has one the vector."""

    def __init__(
        self,
        model: Model,
        options: ConditioningOptions,
        cache: EncodingCache,
        embeddings: Sequence[EmbeddingLookup],
    ) -> None:
        lookups: Sequence[EmbeddingLookup | None] = embeddings or [None] * len(model.towers)
        self._towers = [
            TowerEncoder(tower, options, cache, lookup, partial(model.placement.at_work, *model.text_modules))
            for tower, lookup in zip(model.towers, lookups, strict=True)
        ]
        self._numbers, self._options = model.vector_numbers, options

    def encode(
        self, schedules: Sequence[Sequence[str]], size: Size, *, negative: bool
    ) -> list[list[Conditioning]]:
        """The conditionings of several schedules, for pictures of `size`.

        A negative prompt that is empty at all steps counts as zeros in families with a vector.
        """
        by_tower = [tower.encode(schedules) for tower in self._towers]
        return [
            [
                self._joined(answers, size, negative=negative, silent=negative and not any(texts))
                for answers in zip(*encoded, strict=True)
            ]
            for texts, encoded in zip(schedules, zip(*by_tower, strict=True), strict=True)
        ]

    def _joined(
        self, answers: Sequence[EncodedText], size: Size, *, negative: bool, silent: bool
    ) -> Conditioning:
        states = torch.cat([answer.states for answer in answers], dim=-1)
        if not self._numbers:
            return Conditioning(states)
        pooled = next(answer.pooled for answer in reversed(answers) if answer.pooled is not None)
        if silent:
            states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
        return Conditioning(states, torch.cat([pooled, self._row(size, negative).to(pooled)]))

    def _row(self, size: Size, negative: bool) -> Tensor:
        options, (width, height) = self._options, size
        score = options.low_aesthetic_score if negative else options.high_aesthetic_score
        values: dict[VectorNumber, float] = {
            VectorNumber.ORIGINAL_HEIGHT: height,
            VectorNumber.ORIGINAL_WIDTH: width,
            VectorNumber.CROP_TOP: options.crop_top,
            VectorNumber.CROP_LEFT: options.crop_left,
            VectorNumber.TARGET_HEIGHT: height,
            VectorNumber.TARGET_WIDTH: width,
            VectorNumber.AESTHETIC_SCORE: score,
        }
        return torch.tensor([float(values[number]) for number in self._numbers])
