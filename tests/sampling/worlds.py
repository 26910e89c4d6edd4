"""Small worlds in which the right answer of a sampler is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.sampling import (
    BrownianNoise,
    NoiseSource,
    NoiseTable,
    PictureNoise,
    Prediction,
    Prompts,
    SamplerSettings,
    SamplingPlan,
    SeedPlan,
    resolve_sampler,
)

_BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
SD1_ALPHAS = torch.cumprod(1 - _BETAS, 0)
SD1_TABLE = NoiseTable(SD1_ALPHAS)
V_TABLE = NoiseTable(SD1_ALPHAS, Prediction.V)


@dataclass(frozen=True)
class Gaussian:
    """Pictures whose numbers are normal with `mean` and `deviation`: estimate and ODE have closed forms."""

    mean: float = 0.3
    deviation: float = 0.5

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """The best estimate of the clean number given x at noise level sigma."""
        share = self.deviation**2 / (self.deviation**2 + sigma**2)
        return self.mean + share * (x - self.mean)

    def solved(self, x: Tensor, sigma: float, sigma_end: float) -> Tensor:
        """Where the probability flow ODE takes x from sigma to sigma_end."""
        rise = self.deviation**2
        return self.mean + (x - self.mean) * math.sqrt((rise + sigma_end**2) / (rise + sigma**2))


@dataclass(frozen=True)
class GaussianNoise:
    """PredictNoise of `Gaussian` in the variance preserving form."""

    world: Gaussian = Gaussian()
    alphas_cumprod: Sequence[float] = tuple(SD1_ALPHAS.tolist())

    def _alpha(self, time: float) -> float:
        low = min(int(time), 998)
        share = time - low
        logs = [math.log(self.alphas_cumprod[i]) for i in (low, low + 1)]
        return math.exp(logs[0] * (1 - share) + logs[1] * share)

    def __call__(self, x: Tensor, time: float) -> Tensor:
        a = self._alpha(time)
        clean = self.world.denoise(x / math.sqrt(a), math.sqrt((1 - a) / a))
        return (x - clean * math.sqrt(a)) / math.sqrt(1 - a)

    def with_unconditional(self, x: Tensor, time: float) -> tuple[Tensor, Tensor]:
        return self(x, time), self(x, time)

    def solved(self, x: Tensor, time: int, end: int) -> Tensor:
        """Where the ODE takes x from one time to another."""
        a, b = self.alphas_cumprod[time], self.alphas_cumprod[end]
        clean = self.world.solved(x / math.sqrt(a), math.sqrt((1 - a) / a), math.sqrt((1 - b) / b))
        return clean * math.sqrt(b)


class Fixed:
    """StepNoise from a torch generator, for one tensor; counts what is drawn."""

    def __init__(self, like: Tensor, seed: int = 0) -> None:
        self.generator, self.like, self.draws = torch.Generator().manual_seed(seed), like, 0

    def next(self) -> Tensor:
        self.draws += 1
        return torch.randn(self.like.shape, generator=self.generator, dtype=self.like.dtype)

    def between(self, sigma: float, sigma_next: float) -> Tensor:
        return self.next()


class Paths(Fixed):
    """StepNoise whose Brownian noise comes from a real path over `sigmas`."""

    def __init__(self, like: Tensor, sigmas: Sequence[float]) -> None:
        super().__init__(like, seed=2)
        shape = tuple(like.shape[1:])
        self.paths = BrownianNoise([1], sigmas, shape, NoiseSource.CPU, torch.device("cpu"))

    def between(self, sigma: float, sigma_next: float) -> Tensor:
        return self.paths.between(sigma, sigma_next)


def last(steps) -> Tensor:
    """x after the last step of a solver."""
    *_, step = steps
    return step.x


@dataclass(frozen=True)
class Conditioning:
    cross_attention: Tensor
    vector: Tensor | None = None


@dataclass(frozen=True)
class Scheduled:
    end_at_step: int
    conditioning: Conditioning


@dataclass(frozen=True)
class Part:
    weight: float
    schedule: tuple[Scheduled, ...]


def context(value: float, length: int = 77, width: int = 4) -> Conditioning:
    """A conditioning that is `value` everywhere."""
    return Conditioning(torch.full((length, width), value))


def one_prompt(pictures: int = 1, positive: float = 1.0, negative: float = 0.2) -> Prompts:
    """The same plain prompt for every picture."""
    part = Part(1.0, (Scheduled(10**6, context(positive)),))
    return Prompts([(part,)] * pictures, [(Scheduled(10**6, context(negative)),)] * pictures)


def wavy_network(x: Tensor, time: Tensor, cross_attention: Tensor, vector: Tensor | None) -> Tensor:
    """A smooth network without a model: it depends on everything it is given, each picture on itself alone."""
    told = cross_attention.mean(dim=(1, 2)).view(-1, 1, 1, 1)
    return torch.tanh(x * (0.6 + 0.2 * told)) + 0.05 * torch.sin(time.view(-1, 1, 1, 1) / 300) * x.flip(-1)


def plan_for(
    name: str, steps: int, scheduler: str | None = None, cfg_scale: float = 2.0, **settings
) -> SamplingPlan:
    """A plan with the SD 1 table and default settings, but for `settings`."""
    sampler, schedule = resolve_sampler(name, scheduler)
    return SamplingPlan(sampler, schedule, steps, cfg_scale, SamplerSettings(**settings), SD1_TABLE)


def noise_of(*seeds: int, shape: tuple[int, int, int] = (4, 6, 5), **plan) -> PictureNoise:
    """The noise of these seeds."""
    return PictureNoise(SeedPlan(seeds, **plan), shape)
