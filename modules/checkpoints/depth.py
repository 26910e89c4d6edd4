"""The depth estimator of a checkpoint that draws over a map of depths: its own, or one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from transformers import DPTForDepthEstimation

from modules.checkpoints.assembly import Blueprint, draw_blueprint
from modules.checkpoints.depth_layout import DPT_MARK, MIDAS_MARK, hybrid_config, midas_names
from modules.checkpoints.diffusers_folder import weight_files
from modules.checkpoints.opened import OpenedCheckpoint
from modules.checkpoints.opening import open_tensors
from modules.checkpoints.sources import Sources, part_of, sources_of
from modules.errors import UnusableFile
from modules.listing import folder_entries

__all__ = ["plan_depth_estimator"]

PREFIXES = ("depth_model.model.", "depth_estimator.", "model.", "")
"""In single files of Stable Diffusion 2, in diffusers folders; alone with or without a training program's."""
ENDINGS = (".pt", ".safetensors", ".bin", ".ckpt")


def plan_depth_estimator(
    opened: OpenedCheckpoint, folder: Path | None, files: ExitStack
) -> Blueprint[DPTForDepthEstimation] | None:
    """The estimator that the checkpoint holds, else the first in `folder`; None where there is none.

    Files are opened in `files`. Raises EaselError for an estimator that is damaged or of another kind.
    """
    if sources := _estimator_in(opened.sources):
        return _drawn(opened.name, sources)
    for path in _candidates(folder):
        file = files.enter_context(open_tensors(path))
        if sources := _estimator_in(sources_of(file)):
            return _drawn(path.name, sources)
    return None


def _candidates(folder: Path | None) -> Iterator[Path]:
    """Files of MiDaS, and the weights of folders that transformers saved."""
    if folder is None:
        return
    entries = folder_entries(folder)
    yield from (folder / name for name in entries.files if name.endswith(ENDINGS))
    for inner in entries.folders:
        yield from weight_files(folder / inner)[:1]


def _estimator_in(sources: Sources) -> Sources | None:
    """Its tensors under the names of DPTForDepthEstimation."""
    for prefix in PREFIXES:
        if prefix + DPT_MARK in sources:
            return part_of(sources, prefix)
        if prefix + MIDAS_MARK in sources:
            return midas_names(part_of(sources, prefix))
    return None


def _drawn(name: str, sources: Sources) -> Blueprint[DPTForDepthEstimation]:
    try:
        config = hybrid_config(sources)
    except (KeyError, ValueError, IndexError) as error:
        raise UnusableFile(
            f"The depth estimator in {name} is incomplete or no DPT-Hybrid ({error}); checkpoints want "
            "depths of that kind (dpt_hybrid-midas-501f0c75.pt)."
        ) from None
    return draw_blueprint(lambda: DPTForDepthEstimation(config), sources, name, "depth estimator")
