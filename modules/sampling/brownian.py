"""A Brownian path for each picture, the same whatever steps are asked of it (BEHAVIOUR section 1).

The path is the one of torchsde's `BrownianTree` (Li et al. 2020, https://arxiv.org/abs/2001.01328, section
4): the interval is halved until a half ends at the time asked for, and each node of the tree draws from a
seed that only its place decides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from modules.sampling.generators import SEEDS, NoiseSource, home_of_source, make_generator

__all__ = ["BrownianNoise", "BrownianTree"]

DIGITS = 6
POOL_SIZE = 24


@dataclass(frozen=True)
class _Node:
    """An interval of the tree: the path's value at its start, and how much the path gains over it."""

    start: float
    end: float
    key: int
    depth: int
    value: Tensor
    gain: Tensor


class BrownianTree:
    """W(t) over `start` .. `end` (start < end), W(start) = 0, each value of `shape`."""

    def __init__(
        self,
        seed: int,
        start: float,
        end: float,
        shape: tuple[int, ...],
        source: NoiseSource,
        home: torch.device,
    ) -> None:
        self._entropy = seed % SEEDS
        self._shape, self._source, self._home = shape, source, home
        gain = self._normal(()) * math.sqrt(end - start)
        start, end = round(start, DIGITS), round(end, DIGITS)
        self._path = [_Node(start, end, 0, 0, torch.zeros_like(gain), gain)]

    def _normal(self, place: tuple[int, ...]) -> Tensor:
        state = np.random.SeedSequence(entropy=self._entropy, spawn_key=place, pool_size=POOL_SIZE)
        return make_generator(self._source, int(state.generate_state(1)[0]), self._home).draw(self._shape)

    def _half(self, node: _Node, time: float) -> _Node:
        """The half of `node` that `time` lies in; of the middle itself, the left one."""
        middle = round(0.5 * (node.end + node.start), DIGITS)
        left, right, whole = middle - node.start, node.end - middle, node.end - node.start
        normal = self._normal((node.key, node.depth))
        gain = (node.gain * (left / whole)).add_(normal, alpha=math.sqrt(left * right / whole))
        key, depth = 2 * node.key, node.depth + 1
        if time <= middle:
            return _Node(node.start, middle, key, depth, node.value, gain)
        return _Node(middle, node.end, key + 1, depth, node.value + gain, node.gain - gain)

    def at(self, time: float) -> Tensor:
        """W(time); a time outside counts as the nearer end."""
        root = self._path[0]
        time = min(max(round(time, DIGITS), root.start), root.end)
        while not self._path[-1].start <= time <= self._path[-1].end:
            self._path.pop()
        node = self._path[-1]
        while node.start < time < node.end:
            node = self._half(node, time)
            self._path.append(node)
        return node.value if time == node.start else node.value + node.gain


class BrownianNoise:
    """The step noise of SDE solvers: a tree for each of `seeds`, over the positive levels of a whole
    schedule.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        sigmas: Sequence[float],
        shape: tuple[int, ...],
        source: NoiseSource,
        device: torch.device,
    ) -> None:
        positive = [sigma for sigma in sigmas if sigma > 0]
        home = home_of_source(source, device)
        self._device = device
        self._trees = [
            BrownianTree(seed, min(positive), max(positive), shape, source, home) for seed in seeds
        ]
        self._last: tuple[float, Tensor] | None = None

    def _at(self, sigma: float) -> Tensor:
        if self._last is None or self._last[0] != sigma:
            self._last = sigma, torch.stack([tree.at(sigma) for tree in self._trees]).to(self._device)
        return self._last[1]

    def between(self, sigma: float, sigma_next: float) -> Tensor:
        """Noise (B, *shape) of unit variance for the step sigma -> sigma_next, which falls."""
        before = self._at(sigma)
        return (self._at(sigma_next) - before) / math.sqrt(sigma - sigma_next)
