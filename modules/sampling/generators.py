"""Where normal numbers come from: one seeded generator a picture, of torch or in CUDA's manner."""

from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor

from modules.sampling.philox import philox_normals

__all__ = ["NoiseSource", "NormalGenerator", "home_of_source", "make_generator"]

SEEDS = 2**64


class NoiseSource(StrEnum):
    """The setting `randn_source`: the device's own generator, torch's on the CPU, or CUDA's computed on the
    CPU.
    """

    GPU = "GPU"
    CPU = "CPU"
    NV = "NV"


class NormalGenerator(Protocol):
    """A seeded stream of standard normal numbers."""

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """The next numbers, float32."""
        ...


class _TorchGenerator:
    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator(device).manual_seed(seed)
        self._device = device

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self._device, dtype=torch.float32)


class _PhiloxGenerator:
    def __init__(self, seed: int) -> None:
        self._seed, self._draws = seed, 0

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        numbers = philox_normals(self._seed, self._draws, shape)
        self._draws += 1
        return torch.from_numpy(numbers)


def home_of_source(source: NoiseSource, device: torch.device) -> torch.device:
    """Where the numbers of `source` are made for work on `device`. Only CUDA devices have a generator of
    their own worth using:
    others differ between versions and machines, so "GPU" means the CPU's there."""
    return device if source is NoiseSource.GPU and device.type == "cuda" else torch.device("cpu")


def make_generator(source: NoiseSource, seed: int, home: torch.device) -> NormalGenerator:
    """A fresh generator; `seed` may be any whole number and counts modulo 2^64."""
    seed %= SEEDS
    return _PhiloxGenerator(seed) if source is NoiseSource.NV else _TorchGenerator(seed, home)
