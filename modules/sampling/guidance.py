"""Classifier-free guidance: positive parts and the negative prompt joined into one prediction (BEHAVIOUR
section 4).

Ho & Salimans 2022, https://arxiv.org/abs/2207.12598; several positive parts as in Liu et al. 2022,
https://arxiv.org/abs/2206.01714.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = [
    "ConditioningLike",
    "Guidance",
    "GuidanceOptions",
    "GuidedPartLike",
    "Network",
    "Parts",
    "ScheduledLike",
    "Timeline",
    "at_evaluation",
]


class Network(Protocol):
    """x (N, C + E, h, w), time (N,), context (N, T, D), vector (N, V) or None -> prediction (N, C, h, w),
    float32. E counts the channels of the extra input, mostly 0.
    """

    def __call__(self, x: Tensor, time: Tensor, context: Tensor, vector: Tensor | None, /) -> Tensor: ...


class ConditioningLike(Protocol):
    """What the network is told: `cross_attention` (T, D), `vector` (V,) or None."""

    @property
    def cross_attention(self) -> Tensor: ...
    @property
    def vector(self) -> Tensor | None: ...


class ScheduledLike(Protocol):
    """A conditioning and the last evaluation number it holds for."""

    @property
    def end_at_step(self) -> int: ...
    @property
    def conditioning(self) -> ConditioningLike: ...


class GuidedPartLike(Protocol):
    """One part of a prompt split by AND."""

    @property
    def weight(self) -> float: ...
    @property
    def schedule(self) -> Sequence[ScheduledLike]: ...


Timeline = Sequence[ScheduledLike]
"""The negative prompt of one picture."""
Parts = Sequence[GuidedPartLike]
"""The positive prompt of one picture."""


@dataclass(frozen=True)
class GuidanceOptions:
    """`scale` is any number. `pad_with` (77, D), the empty prompt's context: pad unequal lengths with it;
    None: evaluate them apart. `fits_negative`, which comes before it: bring the negative prompt to the length
    of the positive one, by its last vector or cut off.

    `batched`: positive and negative in one call where they are of equal length. `s_min_uncond`: below this
    level every second evaluation leaves the negative prompt out; 0 for never. `picture_scale`: guidance
    towards what the extra input shows, for checkpoints that edit by instruction; 1 for none.
    """

    scale: float
    pad_with: Tensor | None = None
    fits_negative: bool = False
    batched: bool = True
    s_min_uncond: float = 0.0
    picture_scale: float = 1.0


def at_evaluation(schedule: Timeline, evaluation: int) -> ConditioningLike:
    """What holds at evaluation 0, 1 ..: the first entry that ends there or later; past them all the first,
    sic.
    """
    fitting = (entry for entry in schedule if evaluation <= entry.end_at_step)
    return next(fitting, schedule[0]).conditioning


@dataclass(frozen=True)
class _Joined:
    """Conditionings of several pictures in one tensor (N, T, D), and their vectors (N, V)."""

    context: Tensor
    vector: Tensor | None

    @property
    def length(self) -> int:
        return self.context.shape[1]

    def padded(self, length: int, with_: Tensor) -> "_Joined":
        """This, lengthened towards `length` by copies of `with_`."""
        copies = max(length - self.length, 0) // with_.shape[0]
        if not copies:
            return self
        filler = with_.to(self.context).repeat(copies, 1).expand(self.context.shape[0], -1, -1)
        return _Joined(torch.cat([self.context, filler], dim=1), self.vector)

    def fitted(self, length: int) -> "_Joined":
        """This at `length`, lengthened by its last vector or cut off."""
        missing = max(length - self.length, 0)
        longer = torch.cat([self.context, self.context[:, -1:].expand(-1, missing, -1)], dim=1)
        return _Joined(longer[:, :length], self.vector)

    def followed_by(self, other: "_Joined") -> "_Joined":
        """Both in one batch; their lengths are equal."""
        vector = None
        if self.vector is not None and other.vector is not None:
            vector = torch.cat([self.vector, other.vector])
        return _Joined(torch.cat([self.context, other.context]), vector)


def _joined(conditionings: Sequence[ConditioningLike]) -> _Joined:
    """The shorter ones are lengthened by repeating their last vector."""
    longest = max(each.cross_attention.shape[0] for each in conditionings)
    rows = []
    for each in conditionings:
        row = each.cross_attention
        missing = longest - row.shape[0]
        rows.append(torch.cat([row, row[-1:].expand(missing, -1)]) if missing else row)
    vectors = [each.vector for each in conditionings if each.vector is not None]
    return _Joined(torch.stack(rows), torch.stack(vectors) if vectors else None)


@dataclass(frozen=True)
class _Batch:
    """What one evaluation shows the network. `together` holds both when they fit into one call."""

    positive: _Joined
    negative: _Joined
    together: _Joined | None


class Guidance:
    """The guided network: counts its evaluations, looks the conditionings up for each, and mixes the
    predictions.

    `positive` and `negative` have one entry a picture. `extra_input` (1 or B, E, h, w) is put behind x's
    channels, as inpainting checkpoints want it. One object serves one pass,
    from `evaluation` on.
    """

    def __init__(
        self,
        network: Network,
        positive: Sequence[Parts],
        negative: Sequence[Timeline],
        options: GuidanceOptions,
        extra_input: Tensor | None = None,
        evaluation: int = 0,
    ) -> None:
        self._network, self._options, self._extra_input = network, options, extra_input
        self._parts = [part for parts in positive for part in parts]
        self._owners = [picture for picture, parts in enumerate(positive) for _ in parts]
        self._negative = negative
        self._strengths = [part.weight * options.scale for part in self._parts]
        self._one_each = self._owners == list(range(len(negative)))
        self._plain = self._one_each and all(part.weight == 1 for part in self._parts)
        self._cancels = all(
            sum(s for s, owner in zip(self._strengths, self._owners, strict=True) if owner == picture) == 1
            for picture in range(len(negative))
        )
        self.evaluation = evaluation
        """The number of the next one."""
        self._cached: tuple[tuple[int, ...], _Batch] | None = None

    def __call__(self, x: Tensor, time: float, level: float) -> Tensor:
        """The guided prediction for x (B, C, h, w), already scaled for the network.

        `level` is what `s_min_uncond` is compared with: sigma, or the time for samplers over times.
        """
        batch, odd = self._next_batch()
        if self._follows_picture:
            return self._towards_picture(x, time, batch)[0]
        x = self._with_extra_input(x)
        if odd and level < self._options.s_min_uncond:
            return self._without_negative(self._positive(x, time, batch))
        if self._cancels:
            return self._weighted_sum(self._positive(x, time, batch))
        return self._mixed(*self._both(x, time, batch))

    def with_unconditional(self, x: Tensor, time: float, level: float) -> tuple[Tensor, Tensor]:
        """The guided prediction, and the one for the negative prompt alone, which is always evaluated."""
        batch, _ = self._next_batch()
        if self._follows_picture:
            return self._towards_picture(x, time, batch)
        positive, negative = self._both(self._with_extra_input(x), time, batch)
        return self._mixed(positive, negative), negative

    @property
    def _follows_picture(self) -> bool:
        return self._options.picture_scale != 1 and self._extra_input is not None

    def _towards_picture(self, x: Tensor, time: float, batch: _Batch) -> tuple[Tensor, Tensor]:
        """The guided prediction and the one for the negative prompts, with a third term: away from what is
        predicted without the picture (Brooks et al. 2022, https://arxiv.org/abs/2211.09800, equation 3).
        """
        seeing = self._with_extra_input(x)
        positive, negative = self._both(seeing, time, batch)
        blind = seeing.clone()
        blind[:, x.shape[1] :] = 0
        without = self._evaluate(blind, time, batch.negative)
        guided = self._mixed(positive, negative)
        return guided + (negative - without) * (self._options.picture_scale - 1), negative

    def _next_batch(self) -> tuple[_Batch, bool]:
        """The conditionings of the next evaluation, and whether its number is odd."""
        evaluation = self.evaluation
        self.evaluation += 1
        positive = [at_evaluation(part.schedule, evaluation) for part in self._parts]
        negative = [at_evaluation(schedule, evaluation) for schedule in self._negative]
        key = tuple(id(each) for each in (*positive, *negative))
        if self._cached is None or self._cached[0] != key:
            self._cached = key, self._make_batch(_joined(positive), _joined(negative))
        return self._cached[1], evaluation % 2 == 1

    def _make_batch(self, positive: _Joined, negative: _Joined) -> _Batch:
        filler = self._options.pad_with
        if self._options.fits_negative:
            negative = negative.fitted(positive.length)
        elif filler is not None:
            positive, negative = (
                positive.padded(negative.length, filler),
                negative.padded(positive.length, filler),
            )
        fits = self._options.batched and positive.length == negative.length
        return _Batch(positive, negative, positive.followed_by(negative) if fits else None)

    def _for_parts(self, x: Tensor) -> Tensor:
        """x (B, ...) with a row for every part (P, ...)."""
        return x if self._one_each else x[self._owners]

    def _with_extra_input(self, x: Tensor) -> Tensor:
        if self._extra_input is None:
            return x
        return torch.cat([x, self._extra_input.expand(x.shape[0], -1, -1, -1)], dim=1)

    def _evaluate(self, x: Tensor, time: float, joined: _Joined) -> Tensor:
        """The network's prediction for rows of x and as many conditionings."""
        times = torch.full((x.shape[0],), time, device=x.device, dtype=torch.float32)
        return self._network(x, times, joined.context, joined.vector)

    def _positive(self, x: Tensor, time: float, batch: _Batch) -> Tensor:
        """Predictions for the parts alone, (P, C, h, w)."""
        return self._evaluate(self._for_parts(x), time, batch.positive)

    def _both(self, x: Tensor, time: float, batch: _Batch) -> tuple[Tensor, Tensor]:
        """Predictions for the parts (P, C, h, w) and for the negative prompts (B, C, h, w)."""
        if batch.together is None:
            return self._positive(x, time, batch), self._evaluate(x, time, batch.negative)
        both = self._evaluate(torch.cat([self._for_parts(x), x]), time, batch.together)
        return both[: len(self._parts)], both[len(self._parts) :]

    def _mixed(self, positive: Tensor, negative: Tensor) -> Tensor:
        """U + sum of (C_i - U) * w_i * scale."""
        if self._plain:
            return torch.lerp(negative, positive, self._options.scale)
        pictures = list(negative)
        for part, owner, strength in zip(positive, self._owners, self._strengths, strict=True):
            pictures[owner] = pictures[owner] + (part - negative[owner]) * strength
        return torch.stack(pictures)

    def _weighted_sum(self, positive: Tensor) -> Tensor:
        """What `_mixed` comes to where the strengths of every picture sum to 1: U cancels out."""
        if self._plain:
            return positive
        pictures = [torch.zeros_like(positive[0])] * len(self._negative)
        for part, owner, strength in zip(positive, self._owners, self._strengths, strict=True):
            pictures[owner] = pictures[owner] + part * strength
        return torch.stack(pictures)

    def _without_negative(self, positive: Tensor) -> Tensor:
        """C_0 + sum of (C_i - C_0) * w_i: the first part stands for the negative prompt, and the scale is
        left out.
        """
        pictures = []
        for picture in range(len(self._negative)):
            parts = [k for k, owner in enumerate(self._owners) if owner == picture]
            first = positive[parts[0]]
            pictures.append(sum(((positive[k] - first) * self._parts[k].weight for k in parts[1:]), first))
        return torch.stack(pictures)
