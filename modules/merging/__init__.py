"""Merging checkpoints into a new one, converting one, and baking LoRAs in: tensor by tensor, file to file."""

from modules.merging.bench import MergeBench, MergeRefused, MergeState, MergeTask
from modules.merging.blocks import block_names, read_block_weights
from modules.merging.converting import plan_convert
from modules.merging.merging import plan_merge
from modules.merging.parents import MergeShelves
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
from modules.merging.running import run_convert, run_merge
from modules.merging.watching import MergeStopped, MergeWatcher, Unwatched

__all__ = [
    "BakedLora",
    "ConfigSource",
    "ConvertRequest",
    "DryRun",
    "Ema",
    "FileFormat",
    "Interpolation",
    "MergeBench",
    "MergePlan",
    "MergeRefused",
    "MergeRequest",
    "MergeResult",
    "MergeShelves",
    "MergeState",
    "MergeStopped",
    "MergeTask",
    "MergeWatcher",
    "Mismatch",
    "Precision",
    "Unwatched",
    "block_names",
    "plan_convert",
    "plan_merge",
    "read_block_weights",
    "run_convert",
    "run_merge",
]
