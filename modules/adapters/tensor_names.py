"""The endings of a network's tensors, behind the names of their modules: how training programs write them."""

from __future__ import annotations

import re
from collections.abc import Callable

from modules.adapters.kinds import TENSOR_NAMES

__all__ = ["BUNDLED", "split_ending"]

BUNDLED = "bundle_emb."
"""What the names of embeddings begin with that lie in a network's file."""

ADAPTER = r"(?:\.(?!weight$)[^.]+)?(?:\.weight)?$"
"""PEFT writes the name of the adapter in between: `lora_A.default.weight`."""
HALVES = {"A": "down", "B": "up"}

OLD_ATTENTION = re.compile(
    r"^(?P<module>.*?)\.?(?:\bprocessor\.)?to_(?P<which>q|k|v|out)_lora\."
    r"(?:(?P<half>up|down)(?:\.weight)?|lora_(?P<peft>A|B)" + ADAPTER[:-1] + r"|(?P<alpha>alpha))$"
)
"""As diffusers wrote LoRAs before it had PEFT: in the UNet's attention, and in text encoders'."""
OLD_TEXT = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "out": "out_proj"}
OLD_UNET = {"q": "to_q", "k": "to_k", "v": "to_v", "out": "to_out.0"}

ENDINGS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"^(.+)\.lora_([AB])" + ADAPTER), lambda found: f"lora_{HALVES[found]}.weight"),
    (re.compile(r"^(.+)\.lora_(down|up|mid)" + ADAPTER), lambda found: f"lora_{found}.weight"),
    (re.compile(r"^(.+)\.lora_(magnitude_vector)" + ADAPTER), lambda found: "dora_scale"),
    (
        re.compile(r"^(.+)\.(?:lora|lora_linear_layer)\.(down|up|mid)(?:\.weight)?$"),
        lambda found: f"lora_{found}.weight",
    ),
    (re.compile(r"^(.+?)(?:\.lora|\.lora_linear_layer)?\.(?:lora_)?(alpha)$"), lambda found: "alpha"),
    (re.compile(r"^(.+)\.(dora_scale|scale)(?:\.weight)?$"), lambda found: found),
    (re.compile(r"^(.+)\.((?:hada|lokr|oft)_\w+)\.[^.]+$"), lambda found: found),
)
"""A tensor's name, its module in the first group -> the field's name of the tensor, from the second."""
PLAIN = sorted(TENSOR_NAMES, key=len, reverse=True)
"""The longest first: "weight" is the end of many."""


def split_ending(name: str) -> tuple[str, str] | None:
    """The module as the file calls it, and the field's name of the tensor; None for a name that is no
    network's.
    """
    if name.startswith(BUNDLED):
        return None
    if old := OLD_ATTENTION.match(name):
        is_text = old["module"].endswith("self_attn")
        module = f"{old['module']}.{(OLD_TEXT if is_text else OLD_UNET)[old['which']]}"
        half = old["half"] or HALVES.get(old["peft"] or "")
        return module, f"lora_{half}.weight" if half else "alpha"
    for pattern, called in ENDINGS:
        if found := pattern.match(name):
            return _without_base(found[1]), called(found[2])
    ending = next((each for each in PLAIN if name.endswith(f".{each}")), None)
    return (_without_base(name.removesuffix(f".{ending}")), ending) if ending else None


def _without_base(module: str) -> str:
    """PEFT calls a layer that it wraps so."""
    return module.removesuffix(".base_layer")
