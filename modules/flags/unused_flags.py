"""Flags that people's start files hold, and that have nothing to do here any more. Each says why."""

from dataclasses import dataclass
from typing import Any

from modules.flags.declare import FlagGroup, flag
from modules.foreign_json import JsonNotRead, parse_json

__all__ = ["UnusedFlags"]

U = FlagGroup.UNUSED


def _json(text: str) -> Any:
    try:
        return parse_json(text, "it")
    except JsonNotRead as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class UnusedFlags:
    """Accepted, named once in the log, otherwise without effect."""

    lowram: bool = flag(False, "Checkpoints are always read straight to the card.", U)
    disable_model_loading_ram_optimization: bool = flag(False, "Model files are never mapped.", U)
    f: bool = flag(False, "As root the program starts anyway.", U, spelling="-f")
    update_check: bool = flag(False, "The program never asks the network for versions.", U)
    skip_version_check: bool = flag(False, "Versions are pinned; nothing is compared.", U)
    xformers_flash_attention: bool = flag(False, "torch chooses the kernel by itself.", U)
    do_not_download_clip: bool = flag(False, "Nothing is ever downloaded by itself.", U)
    no_download_sd_model: bool = flag(False, "Nothing is ever downloaded by itself.", U)
    config: str | None = flag(None, "The family is told from the file; a .yaml beside it overrides.", U)
    gfpgan_dir: str | None = flag(None, "Use --gfpgan-models-path.", U)
    gfpgan_model: str | None = flag(None, "Use --gfpgan-models-path.", U)
    unload_gfpgan: bool = flag(False, "Models are let go when memory is needed.", U)
    max_batch_count: int = flag(16, "The bound of batch count is set in ui-config.json.", U, convert=int)
    always_batch_cond_uncond: bool = flag(False, "Use the setting batch_cond_uncond.", U)
    deepdanbooru: bool = flag(False, "The tagger needs no flag.", U)
    no_progressbar_hiding: bool = flag(False, "The page has no hidden progress bars.", U)
    show_negative_prompt: bool = flag(False, "The negative prompt is always shown.", U)
    use_textbox_seed: bool = flag(False, "Seeds are typed as they are.", U)
    gradio_debug: bool = flag(False, "Use --loglevel DEBUG.", U)
    gradio_queue: bool = flag(True, "Work is always queued.", U)
    no_gradio_queue: bool = flag(False, "Work is always queued.", U)
    gradio_img2img_tool: str | None = flag(None, "The canvas has all tools.", U)
    gradio_inpaint_tool: str | None = flag(None, "The canvas has all tools.", U)
    ui_debug_mode: bool = flag(False, "Use --skip-load-model-at-start.", U)
    ngrok: str | None = flag(None, "Run ngrok yourself and point it at the port.", U)
    ngrok_region: str = flag("", "Run ngrok yourself and point it at the port.", U)
    ngrok_options: dict[str, Any] | None = flag(
        None, "Run ngrok yourself and point it at the port.", U, convert=_json
    )
    disable_console_progressbars: bool = flag(False, "Progress is shown in the page.", U)
    enable_console_prompts: bool = flag(False, "Prompts are in the pictures, not in the log.", U)
    administrator: bool = flag(False, "As administrator the program starts anyway.", U)
    no_prompt_history: bool = flag(False, "Extensions of the prompt history have a setting.", U)
    disable_gpu_warning: bool = flag(False, "Use --skip-torch-cuda-test.", U)
    disable_safe_unpickle: bool = flag(
        False, "Pickled checkpoints are read as data, and nothing in them runs.", U
    )
