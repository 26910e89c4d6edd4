"""Which module of a model a network's tensor belongs to: the ways in which training programs write names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import nn

from modules.adapters.kinds import TENSOR_NAMES

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

    from modules.checkpoints import CheckpointFile, Family

__all__ = ["Adaptable", "Place", "module_places", "split_name"]

SPELLINGS = {
    "lora_A.weight": "lora_down.weight",
    "lora_B.weight": "lora_up.weight",
    "lora_A.default.weight": "lora_down.weight",
    "lora_B.default.weight": "lora_up.weight",
    "lora.down.weight": "lora_down.weight",
    "lora.up.weight": "lora_up.weight",
    "lora_linear_layer.down.weight": "lora_down.weight",
    "lora_linear_layer.up.weight": "lora_up.weight",
    "lora_magnitude_vector": "dora_scale",
    "lora_magnitude_vector.weight": "dora_scale",
    "lora_magnitude_vector.default.weight": "dora_scale",
    **{name: name for name in TENSOR_NAMES},
}
"""A tensor's name behind its module -> the field's name of it."""
OLD_ATTENTION = re.compile(r"^(.*)\.processor\.to_(q|k|v|out)_lora\.(up|down)\.weight$")
"""As diffusers wrote LoRAs before it had PEFT."""
DOTTED = (
    ("base_model.model.", ""),
    ("diffusion_model.", "unet."),
    ("model.diffusion_model.", "unet."),
    ("text_encoder_2.", "lora_te2_"),
    ("text_encoder.", "lora_te1_"),
)
KOHYA_UNET = re.compile(
    r"^(?:lora_unet|lycoris)_(down|mid|up)_blocks?_(?:(\d+)_)?(resnets|attentions|downsamplers|upsamplers)_(\d+)_(.+)$"
)
KOHYA_OUTER = re.compile(
    r"^(?:lora_unet|lycoris)_(conv_in|conv_out|conv_norm_out|time_embedding_linear_[12])$"
)
LDM_PARTS = {
    "norm1": "in_layers_0",
    "conv1": "in_layers_2",
    "time_emb_proj": "emb_layers_1",
    "norm2": "out_layers_0",
    "conv2": "out_layers_3",
    "conv_shortcut": "skip_connection",
}
LDM_OUTER = {
    "time_embedding.linear_1": "time_embed_0",
    "time_embedding.linear_2": "time_embed_2",
    "conv_in": "input_blocks_0_0",
    "conv_norm_out": "out_0",
    "conv_out": "out_2",
}
BLOCK = re.compile(
    r"^(down_blocks|up_blocks)\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)(?:\.(.*))?$"
)
MIDDLE = re.compile(r"^mid_block\.(resnets|attentions)\.(\d+)(?:\.(.*))?$")


class _Tower(Protocol):
    @property
    def encoder(self) -> nn.Module: ...


class Adaptable(Protocol):
    """What networks are matched to: a loaded model, or one whose modules have sizes and no numbers."""

    @property
    def checkpoint(self) -> CheckpointFile: ...
    @property
    def family(self) -> Family: ...
    @property
    def unet(self) -> UNet2DConditionModel: ...
    @property
    def towers(self) -> Sequence[_Tower]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A module of a model: which part of it (-1 the UNet, else the number of the text tower), and its
    name.
    """

    tower: int
    name: str

    @property
    def is_text(self) -> bool:
        """Whether it belongs to a text encoder."""
        return self.tower >= 0


def split_name(name: str) -> tuple[str, str] | None:
    """The module, as `module_places` calls it, and the field's name of the tensor; None for a name that is no
    network's.
    """
    if old := OLD_ATTENTION.match(name):
        module, which, end = old.groups()
        out = "to_out.0" if which == "out" else f"to_{which}"
        return _spelled(f"{module}.{out}"), f"lora_{end}.weight"
    # The longest ending first: "weight" is the end of many.
    for ending in sorted(SPELLINGS, key=len, reverse=True):
        if name.endswith(f".{ending}"):
            return _spelled(name.removesuffix(f".{ending}")), SPELLINGS[ending]
    return None


def _spelled(module: str) -> str:
    """A module's name as the keys of `module_places` have it."""
    for prefix, spelling in DOTTED:
        if module.startswith(prefix):
            module = spelling + module[len(prefix) :]
    if module.startswith("unet."):
        return "unet." + module[5:].replace(".", "_")
    module = module.replace(".", "_")
    if module.startswith("lora_te_"):
        return module.replace("lora_te_", "lora_te1_", 1)
    if outer := KOHYA_OUTER.match(module):
        return f"lora_unet_{LDM_OUTER[outer[1].replace('_linear', '.linear')]}"
    return _from_kohya(module)


def _from_kohya(module: str) -> str:
    """The original layout's name of a UNet module that kohya's trainers call by diffusers' name.

    As in the field it is counted with two layers a level, which every published model has; what a network for
    another kind of UNet then means is decided by this rule too, so that pictures come out as they do there.
    """
    match = KOHYA_UNET.match(module)
    if match is None:
        return module
    side, level, kind, number, rest = match[1], int(match[2] or 0), match[3], int(match[4]), match[5]
    rest = {name.replace(".", "_"): part for name, part in LDM_PARTS.items()}.get(rest, rest)
    if side == "mid":
        return f"lora_unet_middle_block_{2 * number if kind == 'resnets' else 1}_{rest}"
    if kind == "downsamplers":
        return f"lora_unet_input_blocks_{3 + 3 * level}_0_op"
    if kind == "upsamplers":
        return f"lora_unet_output_blocks_{2 + 3 * level}_{2 if level else 1}_conv"
    part = 1 if kind == "attentions" else 0
    block = f"input_blocks_{1 + 3 * level + number}"
    if side == "up":
        block = f"output_blocks_{3 * level + number}"
    return f"lora_unet_{block}_{part}_{rest}"


def module_places(model: Adaptable) -> dict[str, Place]:
    """The module for each name that `split_name` gives: a UNet's in the original layout
    (`lora_unet_input_...`), or in diffusers' (`unet.down_blocks_...`), and a text encoder's (`lora_te1_...`).
    """
    places = {}
    original = _LdmNames(model.unet)
    for name in _weighted(model.unet):
        place = Place(-1, name)
        places["unet." + name.replace(".", "_")] = place
        places["lora_unet_" + original.of(name)] = place
    for number, tower in enumerate(model.towers):
        for name in _weighted(tower.encoder):
            full = (
                name if name.startswith("text_model.") or name == "text_projection" else f"text_model.{name}"
            )
            places[f"lora_te{number + 1}_" + full.replace(".", "_")] = Place(number, name)
    return places


def _weighted(module: nn.Module) -> Iterator[str]:
    return (
        name
        for name, each in module.named_modules()
        if isinstance(getattr(each, "weight", None), nn.Parameter)
    )


class _LdmNames:
    """Names in the original layout, flattened, of the modules of diffusers' UNet."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        layers, levels = unet.config.layers_per_block, len(unet.config.block_out_channels)
        self._counts = [layers] * levels if isinstance(layers, int) else list(layers)
        self._plain_levels = [kind.startswith("UpBlock") for kind in unet.config.up_block_types]

    def of(self, name: str) -> str:
        """The original name of the module `name`."""
        if match := MIDDLE.match(name):
            kind, number, rest = match.groups()
            return _joined(f"middle_block_{2 * int(number) if kind == 'resnets' else 1}", kind, rest)
        if match := BLOCK.match(name):
            side, level, kind, number, rest = match.groups()
            block = self._down if side == "down_blocks" else self._up
            return _joined(block(int(level), kind, int(number)), kind, rest)
        return LDM_OUTER.get(name, name.replace(".", "_"))

    def _down(self, level: int, kind: str, number: int) -> str:
        before = 1 + sum(self._counts[:level]) + level
        if kind == "downsamplers":
            return f"input_blocks_{before + self._counts[level]}_0"
        return f"input_blocks_{before + number}_{1 if kind == 'attentions' else 0}"

    def _up(self, level: int, kind: str, number: int) -> str:
        counts = self._counts[::-1]
        before = sum(counts[:level]) + level
        if kind == "upsamplers":
            # It stands behind the attention, where its level has one.
            return f"output_blocks_{before + counts[level]}_{1 if self._plain_levels[level] else 2}"
        return f"output_blocks_{before + number}_{1 if kind == 'attentions' else 0}"


def _joined(block: str, kind: str, rest: str | None) -> str:
    if rest is None:
        return block
    if kind == "resnets":
        rest = LDM_PARTS.get(rest, rest)
    if kind == "downsamplers":
        rest = "op"
    return f"{block}_{rest.replace('.', '_')}"
