"""The noise of each picture, drawn from its own seeds, so that a batch gives the pictures of single runs
(BEHAVIOUR section 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.sampling.brownian import BrownianNoise
from modules.sampling.generators import NoiseSource, NormalGenerator, home_of_source, make_generator

__all__ = ["PictureNoise", "SeedPlan", "slerp"]

CELL = 8
ALMOST_PARALLEL = 0.9995


@dataclass(frozen=True)
class SeedPlan:
    """What decides the noise of a batch. Seeds are any whole numbers (modulo 2^64), one a picture, variation
    seeds likewise.

    `subseed_strength` 0 .. 1 moves the noise towards that of `subseeds`. `resize_from`: (width, height) in
    pixels of the picture whose composition is to be kept, None for off. `eta_noise_seed_delta`: not 0, later
    draws come from seed + delta.
    """

    seeds: tuple[int, ...]
    subseeds: tuple[int, ...] = ()
    subseed_strength: float = 0.0
    resize_from: tuple[int, int] | None = None
    source: NoiseSource = NoiseSource.GPU
    eta_noise_seed_delta: int = 0


def slerp(strength: float, low: Tensor, high: Tensor) -> Tensor:
    """`low` (C, H, W) turned towards `high` by `strength` 0 .. 1, along dim 1, as the reference does it.

    Where the two are almost parallel the mix is linear with the strength the wrong way round, sic.
    """
    dot = (low / low.norm(dim=1, keepdim=True) * (high / high.norm(dim=1, keepdim=True))).sum(dim=1)
    if dot.mean() > ALMOST_PARALLEL:
        return low * strength + high * (1 - strength)
    omega = dot.acos().unsqueeze(1)
    return (((1 - strength) * omega).sin() * low + (strength * omega).sin() * high) / omega.sin()


def _laid_over(ground: Tensor, patch: Tensor) -> Tensor:
    """`ground` (C, H, W) with `patch` (C, h, w) centred on it; what reaches past is cut off, the odd cell on
    the left and top.
    """
    places = []
    for axis in (1, 2):
        offset = (ground.shape[axis] - patch.shape[axis]) // 2
        length = patch.shape[axis] + 2 * min(offset, 0)
        places.append(
            (slice(max(offset, 0), max(offset, 0) + length), slice(max(-offset, 0), max(-offset, 0) + length))
        )
    (rows, patch_rows), (columns, patch_columns) = places
    result = ground.clone()
    result[:, rows, columns] = patch[:, patch_rows, patch_columns]
    return result


class PictureNoise:
    """The generators of a batch for latents of `shape` (C, h, w) on `device`. Draws are float32 (B, C, h, w).

    A pass begins with `first`; `next` gives the later draws, `over` makes the Brownian paths of SDE samplers.
    """

    def __init__(
        self, plan: SeedPlan, shape: tuple[int, int, int], device: torch.device | str = "cpu"
    ) -> None:
        self.plan, self.shape, self.device = plan, shape, torch.device(device)
        self._home = home_of_source(plan.source, self.device)
        self._generators = [self._fresh(seed) for seed in plan.seeds]

    def _fresh(self, seed: int) -> NormalGenerator:
        return make_generator(self.plan.source, seed, self._home)

    def _gathered(self, pictures: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(pictures)).to(self.device)

    def _first_of(self, picture: int) -> Tensor:
        plan, own = self.plan, self._generators[picture]
        shape = self.shape
        if plan.resize_from:
            width, height = plan.resize_from
            shape = self.shape[0], height // CELL, width // CELL
        elsewhere = shape != self.shape
        noise = (self._fresh(plan.seeds[picture]) if elsewhere else own).draw(shape)
        if plan.subseed_strength:
            noise = slerp(plan.subseed_strength, noise, self._fresh(plan.subseeds[picture]).draw(shape))
        return _laid_over(own.draw(self.shape), noise) if elsewhere else noise

    def first(self) -> Tensor:
        """The initial noise of every picture; then ENSD, if any, gives every picture a fresh generator."""
        drawn = self._gathered([self._first_of(picture) for picture in range(len(self.plan.seeds))])
        if self.plan.eta_noise_seed_delta:
            self._generators = [
                self._fresh(seed + self.plan.eta_noise_seed_delta) for seed in self.plan.seeds
            ]
        return drawn

    def next(self) -> Tensor:
        """The next draw of every picture's own generator."""
        return self._gathered([generator.draw(self.shape) for generator in self._generators])

    def over(self, sigmas: Sequence[float]) -> BrownianNoise:
        """Brownian noise over the positive levels of a whole, uncut schedule, from the pictures' seeds (ENSD
        does not count).
        """
        return BrownianNoise(self.plan.seeds, sigmas, self.shape, self.plan.source, self.device)
