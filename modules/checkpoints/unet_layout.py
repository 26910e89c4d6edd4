"""UNets in the LDM layout: sizes told from tensors, and each tensor's place in diffusers' UNet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from modules.checkpoints.sources import Sources

__all__ = ["UNET_PREFIX", "UNetLayout", "read_unet_layout"]

UNET_PREFIX = "model.diffusion_model."

OUTER = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "middle_block.0": "mid_block.resnets.0",
    "middle_block.1": "mid_block.attentions.0",
    "middle_block.2": "mid_block.resnets.1",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
}
INNER = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
    "op": "conv",
}

VECTOR = "label_emb.0.0.weight"
FEATURES = 256
"""Of each number in the vector."""


@dataclass
class _Level:
    channels: int = 0
    layers: int = 0
    attention: bool = False
    depth: int = 1


@dataclass
class UNetLayout:
    """What a UNet's tensors say. Names are without `UNET_PREFIX`."""

    levels: list[_Level] = field(default_factory=list)
    blocks: dict[str, str] = field(default_factory=dict)
    """LDM name of a block -> its name in diffusers."""
    in_channels: int = 4
    out_channels: int = 4
    context_width: int = 768
    linear_projection: bool = False
    vector_width: int | None = None

    def diffusers_name(self, name: str) -> str | None:
        """The name in diffusers' UNet for the LDM `name`, None for a tensor that has no place there."""
        parts = name.split(".")
        for length in (3, 2):
            block = self.blocks.get(".".join(parts[:length]))
            if block is not None:
                return f"{block}.{_inner_name('.'.join(parts[length:]))}"
        return None

    def config(self, num_heads: int, num_head_channels: int | None) -> dict[str, Any]:
        """Arguments of diffusers' UNet2DConditionModel."""
        heads = [
            level.channels // num_head_channels if num_head_channels else num_heads for level in self.levels
        ]
        return {
            "in_channels": self.in_channels,
            "out_channels": self.out_channels,
            "block_out_channels": tuple(level.channels for level in self.levels),
            "layers_per_block": _one_or_all([level.layers for level in self.levels]),
            "down_block_types": tuple(
                "CrossAttnDownBlock2D" if level.attention else "DownBlock2D" for level in self.levels
            ),
            "up_block_types": tuple(
                "CrossAttnUpBlock2D" if level.attention else "UpBlock2D" for level in self.levels[::-1]
            ),
            "transformer_layers_per_block": _one_or_all([level.depth for level in self.levels]),
            # diffusers' name; the value is the number of heads.
            "attention_head_dim": _one_or_all(heads),
            "cross_attention_dim": self.context_width,
            "use_linear_projection": self.linear_projection,
            **self._vector_config(),
        }

    def _vector_config(self) -> dict[str, Any]:
        if self.vector_width is None:
            return {}
        return {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": FEATURES,
            "projection_class_embeddings_input_dim": self.vector_width,
        }


def read_unet_layout(tensors: Sources) -> UNetLayout:
    """The layout of a UNet from its tensors' names (without prefix) and shapes, or KeyError."""
    layout = UNetLayout(blocks=dict(OUTER))
    layout.in_channels = tensors["input_blocks.0.0.weight"].shape[1]
    layout.out_channels = tensors["out.2.weight"].shape[0]
    context = next(stored for name, stored in tensors.items() if name.endswith("attn2.to_k.weight"))
    layout.context_width = context.shape[1]
    layout.linear_projection = len(tensors["middle_block.1.proj_in.weight"].shape) == 2
    layout.vector_width = tensors[VECTOR].shape[1] if VECTOR in tensors else None
    _read_input_blocks(tensors, layout)
    # diffusers gives the middle block the depth of the last level, which may have no attention of its own.
    if not layout.levels[-1].attention:
        layout.levels[-1].depth = _depth(tensors, "middle_block.1")
    _read_output_blocks(tensors, layout)
    return layout


def _one_or_all(values: list[int]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else tuple(values)


def _inner_name(name: str) -> str:
    head, _, last = name.rpartition(".")
    return f"{INNER[head]}.{last}" if head in INNER else name


def _numbered(tensors: Sources, kind: str, first: int) -> Iterator[str]:
    numbers = {int(name.split(".")[1]) for name in tensors if name.startswith(f"{kind}.")}
    return (f"{kind}.{number}" for number in sorted(numbers) if number >= first)


def _read_input_blocks(tensors: Sources, layout: UNetLayout) -> None:
    layout.levels.append(_Level())
    for block in _numbered(tensors, "input_blocks", first=1):
        level, place = layout.levels[-1], f"down_blocks.{len(layout.levels) - 1}"
        if f"{block}.0.op.weight" in tensors:
            layout.blocks[f"{block}.0"] = f"{place}.downsamplers.0"
            layout.levels.append(_Level())
            continue
        layout.blocks[f"{block}.0"] = f"{place}.resnets.{level.layers}"
        if f"{block}.1.norm.weight" in tensors:
            layout.blocks[f"{block}.1"] = f"{place}.attentions.{level.layers}"
            level.attention, level.depth = True, _depth(tensors, f"{block}.1")
        level.channels = tensors[f"{block}.0.out_layers.3.weight"].shape[0]
        level.layers += 1


def _read_output_blocks(tensors: Sources, layout: UNetLayout) -> None:
    blocks = _numbered(tensors, "output_blocks", first=0)
    for number, level in enumerate(reversed(layout.levels)):
        place = f"up_blocks.{number}"
        for layer in range(level.layers + 1):
            block = next(blocks)
            layout.blocks[f"{block}.0"] = f"{place}.resnets.{layer}"
            if f"{block}.1.norm.weight" in tensors:
                layout.blocks[f"{block}.1"] = f"{place}.attentions.{layer}"
            for part in (1, 2):
                if f"{block}.{part}.conv.weight" in tensors:
                    layout.blocks[f"{block}.{part}"] = f"{place}.upsamplers.0"


def _depth(tensors: Sources, block: str) -> int:
    start = f"{block}.transformer_blocks."
    return len({name[len(start) :].split(".")[0] for name in tensors if name.startswith(start)})
