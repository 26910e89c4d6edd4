"""The folders that pictures are saved in, as the settings name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["grid_folder", "picture_folder"]


def picture_folder(options: Options, base: Path) -> Path:
    """Where txt2img's pictures go: `outdir_samples` for all kinds, or `outdir_txt2img_samples`.

    Relative paths are taken from `base`, the folder of the user's data.
    """
    return base / (options.outdir_samples or options.outdir_txt2img_samples)


def grid_folder(options: Options, base: Path) -> Path:
    """Where txt2img's grids go: `outdir_grids` for all kinds, or `outdir_txt2img_grids`."""
    return base / (options.outdir_grids or options.outdir_txt2img_grids)
