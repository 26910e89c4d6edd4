"""The guided network as the solvers see it: an estimate of the clean latent, or a prediction of the noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from modules.sampling.guidance import Guidance
from modules.sampling.hold import Held
from modules.sampling.noise_table import NoiseLevels, NoiseTable, Prediction

__all__ = ["GuidedDenoiser", "GuidedNoise", "LatentMask"]


@dataclass(frozen=True)
class LatentMask:
    """For inpainting: where `keep` (1 or B, 1, h, w) is 1 the latent stays `original` (B, C, h, w), the clean
    one, sic.
    """

    keep: Tensor
    original: Tensor

    def blend(self, x: Tensor) -> Tensor:
        """x where it may change, the original elsewhere."""
        return x * (1 - self.keep) + self.original * self.keep


@dataclass(frozen=True)
class GuidedDenoiser:
    """Denoise for solvers over noise levels; hold and mask are applied to the estimate, after guidance."""

    guidance: Guidance
    levels: NoiseLevels
    mask: LatentMask | None = None
    held: Held | None = None

    def __call__(self, x: Tensor, sigma: float, /) -> Tensor:
        scaling = self.levels.scaling(sigma)
        # Guidance mixes with weights that sum to 1, so it may be done before the prediction is turned into an
        # estimate.
        prediction = self.guidance(x * scaling.in_, scaling.time, sigma)
        denoised = prediction * scaling.out + (x if scaling.skip == 1 else x * scaling.skip)
        denoised = self.held(denoised, scaling.time) if self.held else denoised
        return self.mask.blend(denoised) if self.mask else denoised


@dataclass(frozen=True)
class GuidedNoise:
    """PredictNoise for solvers over times; a mask is applied to what the network sees, before guidance, the
    hold to the estimate that its prediction comes to.
    """

    guidance: Guidance
    table: NoiseTable
    mask: LatentMask | None = None
    held: Held | None = None

    @property
    def alphas_cumprod(self) -> Sequence[float]:
        """The model's own."""
        return self.table.alphas_cumprod

    def _noise(self, prediction: Tensor, x: Tensor, time: float) -> Tensor:
        a = self.table.alphas_cumprod[int(time)]
        if self.table.prediction is not Prediction.EPSILON:
            prediction = prediction * math.sqrt(a) + x * math.sqrt(1 - a)
        if self.held is None:
            return prediction
        denoised = (x - prediction * math.sqrt(1 - a)) / math.sqrt(a)
        return (x - self.held(denoised, time) * math.sqrt(a)) / math.sqrt(1 - a)

    def __call__(self, x: Tensor, time: float, /) -> Tensor:
        x = self.mask.blend(x) if self.mask else x
        return self._noise(self.guidance(x, time, time), x, time)

    def with_unconditional(self, x: Tensor, time: float, /) -> tuple[Tensor, Tensor]:
        """The guided prediction and the one for the negative prompt alone."""
        x = self.mask.blend(x) if self.mask else x
        guided, negative = self.guidance.with_unconditional(x, time, time)
        return self._noise(guided, x, time), self._noise(negative, x, time)
