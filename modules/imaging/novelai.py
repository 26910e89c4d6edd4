"""The texts in NovelAI's pictures, translated into a generation text."""

from __future__ import annotations

from collections.abc import Mapping

from modules.foreign_json import JsonNotRead, parse_json
from modules.infotext import GenerationText, write_infotext

__all__ = ["infotext_of_novelai"]

SOFTWARE = "NovelAI"
SAMPLERS = {
    "k_euler_ancestral": "Euler a",
    "k_euler": "Euler",
    "k_lms": "LMS",
    "k_heun": "Heun",
    "k_dpm_2": "DPM2",
    "k_dpm_2_ancestral": "DPM2 a",
    "k_dpmpp_2s_ancestral": "DPM++ 2S a",
    "k_dpmpp_2m": "DPM++ 2M",
    "k_dpmpp_sde": "DPM++ SDE",
    "ddim": "DDIM",
    "plms": "PLMS",
}
DEFAULT_SAMPLER = "Euler a"
# What that service's models were run with.
CLIP_SKIP = 2
NOISE_SEED_DELTA = 31337


def infotext_of_novelai(texts: Mapping[str, object], width: int, height: int) -> str | None:
    """The generation text that Software, Description and Comment amount to; None for other pictures."""
    if texts.get("Software") != SOFTWARE:
        return None
    try:
        comment = parse_json(str(texts["Comment"]), "Comment")
        fields = {
            "Steps": comment["steps"],
            "Sampler": SAMPLERS.get(comment["sampler"], DEFAULT_SAMPLER),
            "CFG scale": comment["scale"],
            "Seed": comment["seed"],
            "Size": f"{width}x{height}",
            "Clip skip": CLIP_SKIP,
            "ENSD": NOISE_SEED_DELTA,
        }
        prompts = str(texts["Description"]), str(comment["uc"])
    except (KeyError, TypeError, ValueError, JsonNotRead):
        return None
    return write_infotext(GenerationText(*prompts, {key: str(value) for key, value in fields.items()}))
