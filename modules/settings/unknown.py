"""Settings of the field that would change what comes out, and that this program does not have."""

from collections.abc import Mapping
from typing import Any

from modules.settings.options import Options

__all__ = ["sentences_about_unknown"]

DEFAULTS: Mapping[str, Any] = {
    "return_mask": False,
    "return_mask_composite": False,
    "save_mask": False,
    "save_mask_composite": False,
    "save_init_img": False,
    "save_images_before_color_correction": False,
    "sd_vae_encode_method": "Full",
    "sd_vae_decode_method": "Full",
    "use_old_emphasis_implementation": False,
    "use_old_hires_fix_width_height": False,
}


def sentences_about_unknown(options: Options) -> list[str]:
    """What a person is told who has changed one of them: that it does nothing here."""
    given = options.model_extra or {}
    return [
        f"The setting {key} is not part of this version, so the picture is made as if it were {default!r}."
        for key, default in DEFAULTS.items()
        if given.get(key, default) != default
    ]
