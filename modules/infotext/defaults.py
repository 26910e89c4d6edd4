"""What a generation text leaves unsaid: the values that its missing fields have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from modules.infotext.text import GenerationText
from modules.infotext.versions import fields_of_old_versions
from modules.prompts import network_tag

__all__ = ["DEFAULTS", "Parameters", "fill_defaults"]

Parameters = dict[str, str | int | bool]

SIZE = re.compile(r"(\d+)x(\d+)")
FIRST_MODELS_PIXELS = 512 * 512

# The types are those that the field's API answers with.
DEFAULTS: Parameters = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Emphasis": "Original",
    "Refiner switch by sampling steps": False,
}


def fill_defaults(text: GenerationText, *, backcompat: bool = True, skip: Iterable[str] = ()) -> Parameters:
    """All parameters of a generation text by name, "Prompt" and "Negative prompt" among them.

    A value of the form NxM stands under `Key-1` and `Key-2`. Fields of old programs are translated: a
    hypernetwork becomes a tag of the prompt, a first pass size the size. backcompat: the setting
    `auto_backcompat`, what the version in the text changes. skip: `infotext_skip_pasting`, what to leave out.
    """
    written = _split_sizes(text)
    parameters: Parameters = {"Prompt": text.prompt, "Negative prompt": text.negative_prompt, **written}
    _add_hypernetwork(parameters)
    parameters = {**parameters, **{key: value for key, value in DEFAULTS.items() if key not in parameters}}
    if parameters["FP8 weight"] != DEFAULTS["FP8 weight"]:
        parameters.setdefault("Cache FP16 weight for LoRA", False)
    _restore_first_pass_size(parameters)
    if backcompat:
        parameters.update(fields_of_old_versions(str(parameters["Prompt"]), text.fields))
    skipped = frozenset(skip)
    return {key: value for key, value in parameters.items() if key not in skipped}


def _split_sizes(text: GenerationText) -> dict[str, str]:
    fields: dict[str, str] = {}
    for key, value in text.fields.items():
        size = SIZE.fullmatch(value)
        fields |= {f"{key}-1": size[1], f"{key}-2": size[2]} if size else {key: value}
    return fields


def _add_hypernetwork(parameters: Parameters) -> None:
    name = parameters.get("Hypernet")
    if name is not None:
        strength = parameters.get("Hypernet strength", "1.0")
        parameters["Prompt"] = f"{parameters['Prompt']}{network_tag('hypernet', str(name), str(strength))}"


def _restore_first_pass_size(parameters: Parameters) -> None:
    """Texts of the first hires fix give the result's size, and the first pass's as a field of its own."""
    first = [_pixels(parameters, f"First pass size-{axis}") for axis in (1, 2)]
    size = [_pixels(parameters, f"Size-{axis}", 512) for axis in (1, 2)]
    if None in first or None in size:
        return
    width, height = size[0] or 0, size[1] or 0
    if 0 in first and width * height > 0:
        scale = math.sqrt(FIRST_MODELS_PIXELS / (width * height))
        first = [math.ceil(scale * side / 64) * 64 for side in (width, height)]
    parameters |= {"Size-1": first[0] or 0, "Size-2": first[1] or 0}
    parameters |= {"Hires resize-1": width, "Hires resize-2": height}


def _pixels(parameters: Parameters, key: str, missing: int | None = None) -> int | None:
    value = str(parameters.get(key, missing))
    return int(value) if value.isdecimal() else None
