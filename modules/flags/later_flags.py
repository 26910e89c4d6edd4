"""Flags of the field whose subject this version does not have yet. They are accepted and named in the log."""

from dataclasses import dataclass
from pathlib import Path

from modules.flags.declare import FlagGroup, flag, path_flag

__all__ = ["LaterFlags"]

L = FlagGroup.LATER


@dataclass(frozen=True, kw_only=True)
class LaterFlags:
    """Moved to their own group with the release that gives them their effect."""

    disable_all_extensions: bool = flag(False, "Start without any extension.", L)
    disable_extra_extensions: bool = flag(False, "Start with the built-in extensions only.", L)
    update_all_extensions: bool = flag(False, "Update every extension at start.", L)
    enable_insecure_extension_access: bool = flag(
        False, "Let the page install extensions although others can reach it.", L
    )
    allow_code: bool = flag(False, "Allow the script that runs code from the page.", L)
    esrgan_models_path: Path | None = path_flag(None, "Folder of ESRGAN upscalers.", L)
    realesrgan_models_path: Path | None = path_flag(None, "Folder of RealESRGAN upscalers.", L)
    bsrgan_models_path: Path | None = path_flag(None, "Folder of BSRGAN upscalers.", L)
    dat_models_path: Path | None = path_flag(None, "Folder of DAT upscalers.", L)
    ldsr_models_path: Path | None = path_flag(None, "Folder of LDSR upscalers.", L)
    scunet_models_path: Path | None = path_flag(None, "Folder of ScuNET upscalers.", L)
    swinir_models_path: Path | None = path_flag(None, "Folder of SwinIR upscalers.", L)
    gfpgan_models_path: Path | None = path_flag(None, "Folder of GFPGAN models.", L)
    codeformer_models_path: Path | None = path_flag(None, "Folder of CodeFormer models.", L)
    clip_models_path: Path | None = path_flag(None, "Folder of CLIP models for interrogation.", L)
    textual_inversion_templates_dir: Path | None = path_flag(None, "Folder of training templates.", L)
