"""Merging checkpoints into a new one, converting one, and baking LoRAs in: tensor by tensor, file to file."""

from modules.merging.plan import DryRun, MergePlan, MergeResult, Mismatch
from modules.merging.request import (
    BakedLora,
    ConfigSource,
    ConvertRequest,
    Ema,
    FileFormat,
    Interpolation,
    MergeRequest,
    Precision,
)
from modules.merging.watching import MergeStopped, MergeWatcher, Unwatched

__all__ = [
    "BakedLora",
    "ConfigSource",
    "ConvertRequest",
    "DryRun",
    "Ema",
    "FileFormat",
    "Interpolation",
    "MergePlan",
    "MergeRequest",
    "MergeResult",
    "MergeStopped",
    "MergeWatcher",
    "Mismatch",
    "Precision",
    "Unwatched",
]
