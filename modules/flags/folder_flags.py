"""Flags that say where things lie. None means the usual place, which `modules.folders` knows."""

from dataclasses import dataclass
from pathlib import Path

from modules.flags.declare import FlagGroup, path_flag

__all__ = ["FolderFlags", "Paths"]

F = FlagGroup.FOLDERS

Paths = Path | tuple[Path, ...] | None
"""One as it is, several as a tuple."""


@dataclass(frozen=True, kw_only=True)
class FolderFlags:
    """Folders and files of the user."""

    data_dir: Path | None = path_flag(
        None, "Folder of everything that is yours: models, outputs, settings.", F
    )
    models_dir: Path | None = path_flag(None, "Folder of the model folders (models in the data folder).", F)
    ckpt: Path | None = path_flag(None, "Checkpoint to load at start; it may lie anywhere.", F)
    ckpt_dir: Paths = path_flag(None, "Further folder with checkpoints; may be repeated.", F, several=True)
    vae_dir: Paths = path_flag(None, "Further folder with VAE files; may be repeated.", F, several=True)
    vae_path: Path | None = path_flag(None, "VAE file to use with every checkpoint.", F)
    embeddings_dir: Paths = path_flag(
        None, "Folder of textual inversion embeddings; may be repeated.", F, several=True
    )
    hypernetwork_dir: Paths = path_flag(None, "Folder of hypernetworks; may be repeated.", F, several=True)
    lora_dir: Paths = path_flag(None, "Folder of LoRA files; may be repeated.", F, several=True)
    lyco_dir: Paths = path_flag(None, "Folder of LyCORIS files; may be repeated.", F, several=True)
    lyco_dir_backcompat: Paths = path_flag(None, "Older name of --lyco-dir.", F, several=True)
    localizations_dir: Path | None = path_flag(None, "Folder of translations.", F)
    ui_config_file: Path | None = path_flag(None, "File with the first values of the page's controls.", F)
    ui_settings_file: Path | None = path_flag(
        None, "File with the settings (config.json in the data folder).", F
    )
    styles_file: tuple[Path, ...] = path_flag(
        (), "File with styles; may be given several times and hold wildcards.", F, repeatable=True
    )
