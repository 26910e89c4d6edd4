"""Which module of a model a network's tensor belongs to: the ways in which training programs write names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import nn

from modules.adapters.tensor_names import split_ending

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

    from modules.checkpoints import CheckpointFile, Family

__all__ = ["Adaptable", "Place", "module_places", "split_name"]

WRAPPERS = ("base_model.model.", "module.", "_orig_mod.")
"""What PEFT and torch (its data parallelism, its compiler) put before the names of whatever they wrap."""
UNET, FIRST_TEXT, SECOND_TEXT = "unet.", "lora_te1_", "lora_te2_"
STARTS = (
    ("model.diffusion_model.", UNET),
    ("diffusion_model.", UNET),
    ("unet.", UNET),
    ("transformer.text_model.", FIRST_TEXT),
    ("transformer.", UNET),
    ("cond_stage_model.transformer.", FIRST_TEXT),
    ("cond_stage_model.model.", FIRST_TEXT),
    ("conditioner.embedders.0.transformer.", FIRST_TEXT),
    ("conditioner.embedders.0.model.", FIRST_TEXT),
    ("conditioner.embedders.1.model.", SECOND_TEXT),
    ("text_model.", FIRST_TEXT),
    ("text_model_", FIRST_TEXT),
    *(
        (f"{before}{encoder}.{inner}", part)
        for before in ("text_encoders.", "")
        for encoder, part in (("clip_l", FIRST_TEXT), ("clip_g", SECOND_TEXT))
        for inner in ("transformer.", "")
    ),
    *(
        (f"{name}{number}{end}", SECOND_TEXT if number.endswith("2") else FIRST_TEXT)
        for name in ("text_encoder", "te", "lora_te", "lora_text_encoder")
        for number in ("", "1", "_1", "2", "_2")
        for end in (".", "_")
    ),
)
PARTS = sorted(STARTS, key=lambda each: -len(each[0]))
"""How names of modules begin, and which part of the model they mean; the longest first."""
KOHYA = ("lora_unet_", "lycoris_")
ORIGINAL = re.compile(r"^(?:input_blocks|output_blocks|middle_block|time_embed|label_emb|out)_\d")
"""A module of the UNet in the original layout's names, flattened."""
OPEN_CLIP = re.compile(r"^transformer_resblocks_(\d+)_(.+)$")
OPEN_CLIP_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp_c_fc": "mlp_fc1",
    "mlp_c_proj": "mlp_fc2",
    "attn_out_proj": "self_attn_out_proj",
}
KOHYA_UNET = re.compile(
    r"^(down|mid|up)_blocks?_(?:(\d+)_)?(resnets|attentions|downsamplers|upsamplers)_(\d+)_(.+)$"
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
    "add_embedding.linear_1": "label_emb_0_0",
    "add_embedding.linear_2": "label_emb_0_2",
    "conv_in": "input_blocks_0_0",
    "conv_norm_out": "out_0",
    "conv_out": "out_2",
}
OUTER = {name.replace(".", "_"): original for name, original in LDM_OUTER.items()}
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
    found = split_ending(name)
    return (_spelled(found[0]), found[1]) if found else None


def _spelled(module: str) -> str:
    """A module's name as the keys of `module_places` have it."""
    part, rest = _part_of(module)
    if rest.startswith(KOHYA):
        start = next(each for each in KOHYA if rest.startswith(each))
        rest = rest.removeprefix(start).replace(".", "_")
        # LyCORIS names the modules of text encoders so too.
        if rest.startswith("text_model_"):
            return FIRST_TEXT + rest
        return f"lora_unet_{_from_kohya(rest)}"
    rest = rest.replace(".", "_")
    if part == UNET:
        return f"lora_unet_{rest}" if ORIGINAL.match(rest) else f"unet.{rest}"
    return part + _of_text(rest)


def _part_of(module: str) -> tuple[str, str]:
    """The part of the model that a module's name begins with, and the name without that; a name that begins
    with none is of the UNet.
    """
    part = UNET
    # Programs that convert files have put one beginning before another.
    for _ in range(2):
        while wrapper := next((each for each in WRAPPERS if module.startswith(each)), None):
            module = module.removeprefix(wrapper)
        found = next(((start, each) for start, each in PARTS if module.startswith(start)), None)
        if found is None or part not in (UNET, found[1]):
            break
        module, part = module.removeprefix(found[0]), found[1]
    return part, module


def _of_text(rest: str) -> str:
    """The name of a text encoder's module as transformers has it."""
    if match := OPEN_CLIP.match(rest):
        rest = f"encoder_layers_{match[1]}_{OPEN_CLIP_PARTS.get(match[2], match[2])}"
    is_whole = rest.startswith(("text_model_", "text_projection"))
    return rest if is_whole else f"text_model_{rest}"


def _from_kohya(module: str) -> str:
    """The original layout's name of a UNet module that kohya's trainers call by diffusers' name, flattened.

    As in the field it is counted with two layers a level, which every published model has; what a network for
    another kind of UNet then means is decided by this rule too, so that pictures come out as they do there.
    """
    if module in OUTER:
        return OUTER[module]
    match = KOHYA_UNET.match(module)
    if match is None:
        return module
    side, level, kind, number, rest = match[1], int(match[2] or 0), match[3], int(match[4]), match[5]
    rest = {name.replace(".", "_"): part for name, part in LDM_PARTS.items()}.get(rest, rest)
    if side == "mid":
        return f"middle_block_{2 * number if kind == 'resnets' else 1}_{rest}"
    if kind == "downsamplers":
        return f"input_blocks_{3 + 3 * level}_0_op"
    if kind == "upsamplers":
        return f"output_blocks_{2 + 3 * level}_{2 if level else 1}_conv"
    part = 1 if kind == "attentions" else 0
    block = (
        f"output_blocks_{3 * level + number}" if side == "up" else f"input_blocks_{1 + 3 * level + number}"
    )
    return f"{block}_{part}_{rest}"


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
