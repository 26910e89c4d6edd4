"""Flags that say where things lie. None means the usual place, which `modules.folders` knows."""

from dataclasses import dataclass
from pathlib import Path

from modules.flags.declare import FlagGroup, flag

__all__ = ["FolderFlags"]

F = FlagGroup.FOLDERS


@dataclass(frozen=True, kw_only=True)
class FolderFlags:
    """Folders and files of the user."""

    data_dir: Path | None = flag(None, "Folder of everything that is yours: models, outputs, settings.", F)
    models_dir: Path | None = flag(None, "Folder of the model folders (models in the data folder).", F)
    ckpt: Path | None = flag(None, "Checkpoint to load at start; it may lie anywhere.", F)
    ckpt_dir: Path | None = flag(None, "Further folder with checkpoints.", F)
    vae_dir: Path | None = flag(None, "Further folder with VAE files.", F)
    vae_path: Path | None = flag(None, "VAE file to use with every checkpoint.", F)
    embeddings_dir: Path | None = flag(None, "Folder of textual inversion embeddings.", F)
    hypernetwork_dir: Path | None = flag(None, "Folder of hypernetworks.", F)
    lora_dir: Path | None = flag(None, "Folder of LoRA files.", F)
    lyco_dir: Path | None = flag(None, "Folder of LyCORIS files.", F)
    lyco_dir_backcompat: Path | None = flag(None, "Older name of --lyco-dir.", F)
    localizations_dir: Path | None = flag(None, "Folder of translations.", F)
    ui_config_file: Path | None = flag(None, "File with the first values of the page's controls.", F)
    ui_settings_file: Path | None = flag(None, "File with the settings (config.json in the data folder).", F)
    styles_file: tuple[str, ...] = flag(
        (), "File with styles; may be given several times and hold wildcards.", F, repeatable=True
    )
