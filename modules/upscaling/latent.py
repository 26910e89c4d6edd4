"""Upscalers that work on the latent: arguments of torch's `interpolate`, no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["LATENT_UPSCALERS", "LatentUpscaler"]

Mode = Literal["bilinear", "bicubic", "nearest", "nearest-exact"]


@dataclass(frozen=True, slots=True)
class LatentUpscaler:
    """How a latent (B, C, h, w) is resized: `interpolate(latent, size, mode=mode, antialias=antialias)`."""

    name: str
    mode: Mode
    antialias: bool = False


LATENT_UPSCALERS: Mapping[str, LatentUpscaler] = MappingProxyType(
    {
        upscaler.name: upscaler
        for upscaler in (
            LatentUpscaler("Latent", "bilinear"),
            LatentUpscaler("Latent (antialiased)", "bilinear", antialias=True),
            LatentUpscaler("Latent (bicubic)", "bicubic"),
            LatentUpscaler("Latent (bicubic antialiased)", "bicubic", antialias=True),
            LatentUpscaler("Latent (nearest)", "nearest"),
            LatentUpscaler("Latent (nearest-exact)", "nearest-exact"),
        )
    }
)
"""By name, in the order of the menu; the first is the default of the hires pass."""
