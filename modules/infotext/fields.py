"""The fields of the generation text as data: which request field or setting each fills when it is pasted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from modules.infotext.defaults import fill_defaults
from modules.infotext.text import GenerationText
from modules.infotext.versions import version_of_field
from modules.settings import Options

__all__ = ["FIELDS", "InfotextField", "Target", "field_of_setting", "to_request_values"]

Value = str | int | float | bool | None

PROMPTS = ("Prompt", "Negative prompt")
MASKED_CONTENT = ("fill", "original", "latent noise", "latent nothing")
SCHEDULES_IN_NAMES = (" karras", " exponential", " polyexponential")
SCHEDULES_HAVE_A_FIELD = (1, 9, 0, 0)


class Target(Enum):
    """Where a field's value goes."""

    REQUEST = "request"
    SETTING = "setting"


def _integer(text: str) -> int:
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _switch(text: str) -> bool:
    known = {"true": True, "false": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _present(text: str) -> bool:
    return text.lower() not in ("", "false", "none")


def _unless(same: str) -> Callable[[str], Value]:
    """The text, or None for the choice that means "as in the first pass"."""

    def convert(text: str) -> str | None:
        return None if text == same else text

    return convert


@dataclass(frozen=True, slots=True)
class InfotextField:
    """One field: its key in the text, the name it fills, and how its text becomes the value.

    `convert` raises ValueError for a text that is no value of the kind.
    """

    key: str
    target: Target
    name: str
    convert: Callable[[str], Value] = str


def _request(key: str, name: str, convert: Callable[[str], Value] = str) -> InfotextField:
    return InfotextField(key, Target.REQUEST, name, convert)


def _setting(key: str, name: str, convert: Callable[[str], Value] = str) -> InfotextField:
    return InfotextField(key, Target.SETTING, name, convert)


FIELDS: tuple[InfotextField, ...] = (
    _request("Prompt", "prompt"),
    _request("Negative prompt", "negative_prompt"),
    _request("Steps", "steps", _integer),
    _request("Sampler", "sampler_name"),
    _request("Schedule type", "scheduler"),
    _request("CFG scale", "cfg_scale", _number),
    _request("Image CFG scale", "image_cfg_scale", _number),
    _request("Seed", "seed", _integer),
    _request("Face restoration", "restore_faces", _present),
    _request("Size-1", "width", _integer),
    _request("Size-2", "height", _integer),
    _request("Batch size", "batch_size", _integer),
    _request("Variation seed", "subseed", _integer),
    _request("Variation seed strength", "subseed_strength", _number),
    _request("Seed resize from-1", "seed_resize_from_w", _integer),
    _request("Seed resize from-2", "seed_resize_from_h", _integer),
    _request("Denoising strength", "denoising_strength", _number),
    _request("Luma strength", "luma_strength", _number),
    _request("Chroma strength", "chroma_strength", _number),
    _request("Tiling", "tiling", _switch),
    _request("NGMS", "s_min_uncond", _number),
    _request("Refiner", "refiner_checkpoint"),
    _request("Refiner switch at", "refiner_switch_at", _number),
    _request("Hires upscale", "hr_scale", _number),
    _request("Hires resize-1", "hr_resize_x", _integer),
    _request("Hires resize-2", "hr_resize_y", _integer),
    _request("Hires steps", "hr_second_pass_steps", _integer),
    _request("Hires upscaler", "hr_upscaler"),
    _request("Hires sampler", "hr_sampler_name", _unless("Use same sampler")),
    _request("Hires schedule type", "hr_scheduler", _unless("Use same scheduler")),
    _request("Hires checkpoint", "hr_checkpoint_name", _unless("Use same checkpoint")),
    _request("Hires prompt", "hr_prompt"),
    _request("Hires negative prompt", "hr_negative_prompt"),
    _request("Mask blur", "mask_blur", _integer),
    _request("Mask mode", "inpainting_mask_invert", lambda text: int(text == "Inpaint not masked")),
    _request("Masked content", "inpainting_fill", MASKED_CONTENT.index),
    _request("Inpaint area", "inpaint_full_res", lambda text: text == "Only masked"),
    _request("Masked area padding", "inpaint_full_res_padding", _integer),
    _setting("Model hash", "sd_model_checkpoint"),
    _setting("VAE", "sd_vae"),
    _setting("Clip skip", "CLIP_stop_at_last_layers", _integer),
    _setting("ENSD", "eta_noise_seed_delta", _integer),
    _setting("RNG", "randn_source"),
    _setting("Emphasis", "emphasis"),
    _setting("Eta", "eta_ancestral", _number),
    _setting("Eta DDIM", "eta_ddim", _number),
    _setting("DDIM Discretize", "ddim_discretize"),
    _setting("Sigma churn", "s_churn", _number),
    _setting("Sigma tmin", "s_tmin", _number),
    _setting("Sigma tmax", "s_tmax", _number),
    _setting("Sigma noise", "s_noise", _number),
    _setting("Schedule min sigma", "sigma_min", _number),
    _setting("Schedule max sigma", "sigma_max", _number),
    _setting("Schedule rho", "rho", _number),
    _setting("Beta schedule alpha", "beta_dist_alpha", _number),
    _setting("Beta schedule beta", "beta_dist_beta", _number),
    _setting("Discard penultimate sigma", "always_discard_next_to_last_sigma", _switch),
    _setting("SGM noise multiplier", "sgm_noise_multiplier", _switch),
    _setting("Noise Schedule", "sd_noise_schedule"),
    _setting("UniPC variant", "uni_pc_variant"),
    _setting("UniPC skip type", "uni_pc_skip_type"),
    _setting("UniPC order", "uni_pc_order", _integer),
    _setting("UniPC lower order final", "uni_pc_lower_order_final", _switch),
    _setting("Pad conds", "pad_cond_uncond", _switch),
    _setting("Pad conds v0", "pad_cond_uncond_v0", _switch),
    _setting("Old prompt editing timelines", "use_old_scheduling", _switch),
    _setting("Downcast alphas_cumprod", "use_downcasted_alpha_bar", _switch),
    _setting("Conditional mask weight", "inpainting_mask_weight", _number),
    _setting("Noise multiplier", "initial_noise_multiplier", _number),
    _setting("Extra noise", "img2img_extra_noise", _number),
    _setting("Token merging ratio", "token_merging_ratio", _number),
    _setting("Token merging ratio hr", "token_merging_ratio_hr", _number),
    _setting("Refiner switch by sampling steps", "refiner_switch_by_sample_steps", _switch),
    _setting("Cache FP16 weight for LoRA", "cache_fp16_weight", _switch),
    _setting("FP8 weight", "fp8_storage"),
    _setting("VAE Encoder", "sd_vae_encode_method"),
    _setting("VAE Decoder", "sd_vae_decode_method"),
)


def field_of_setting(name: str) -> str | None:
    """The key under which a setting stands in the generation text, if it has one."""
    return next(
        (field.key for field in FIELDS if field.target is Target.SETTING and field.name == name), None
    )


def to_request_values(text: GenerationText, *, skip: Iterable[str] = ()) -> dict[str, Any]:
    """The request that a generation text describes: request fields by name, and `override_settings`.

    Settings that the text leaves out have the values of `DEFAULTS`, whatever the user has set, since the
    picture was made with them; a text without any parameters is a prompt and says nothing about them. Values
    that are none of their kind (`Denoising strength: abc`) are left out, and so are settings that this
    program does not have. skip: keys to leave out (`infotext_skip_pasting`).
    """
    parameters = fill_defaults(text, skip=skip)
    if not text.fields:
        parameters = {key: value for key, value in parameters.items() if key in PROMPTS}
    values = _converted(parameters, Target.REQUEST)
    if not _describes_hires(text):
        values = {name: value for name, value in values.items() if not name.startswith("hr_")}
    else:
        values["enable_hr"] = True
    if _has_uniform_schedule(text):
        values["scheduler"] = "Uniform"
    if "Model hash" not in parameters and "Model" in parameters:
        parameters["Model hash"] = parameters["Model"]
    settings = _converted(parameters, Target.SETTING)
    known = {name: value for name, value in settings.items() if name in Options.model_fields}
    return {**values, "override_settings": known}


def _converted(parameters: Mapping[str, Value], target: Target) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for field in FIELDS:
        if field.target is target and field.key in parameters:
            try:
                values[field.name] = field.convert(str(parameters[field.key]))
            except ValueError:
                continue
    return values


def _describes_hires(text: GenerationText) -> bool:
    return any(
        key in text.fields for key in ("Hires upscale", "Hires upscaler", "Hires resize", "First pass size")
    )


def _has_uniform_schedule(text: GenerationText) -> bool:
    """Before schedules had a field, a sampler's plain name meant the uniform schedule."""
    version = version_of_field(text.fields.get("Version", ""))
    joined = text.fields.get("Sampler", "").lower().endswith(SCHEDULES_IN_NAMES)
    return (
        version is not None
        and version < SCHEDULES_HAVE_A_FIELD
        and not joined
        and "Schedule type" not in text.fields
    )
