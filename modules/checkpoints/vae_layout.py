"""VAEs: their sizes told from their tensors, and each tensor's place in diffusers' AutoencoderKL.

Two layouts are read: that of latent-diffusion, which checkpoints have, and that of diffusers, old names
included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from modules.checkpoints.sources import Sources

__all__ = ["VAE_PREFIXES", "vae_config", "vae_names"]

VAE_PREFIXES = ("", "first_stage_model.", "vae.")
"""A VAE alone, in a single file, in a diffusers folder."""

ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names of diffusers before 0.17."""

BLOCK = re.compile(r"(encoder|decoder)\.(down|up)\.(\d+)\.(block\.(\d+)|downsample|upsample)\.(.+)")
MIDDLE = re.compile(r"(encoder|decoder)\.mid\.(block|attn)_(\d+)\.(.+)")
PLAIN = re.compile(r"(?:encoder|decoder)\.(?:conv_in|conv_out)\..+|(?:post_)?quant_conv\..+")
NORM_OUT = re.compile(r"(encoder|decoder)\.norm_out\.(.+)")
DIFFUSERS = re.compile(r"(?:encoder|decoder)\.(?:down_blocks|up_blocks|mid_block|conv_norm_out)\..+")


def vae_names(names: Iterable[str]) -> dict[str, str]:
    """Names in AutoencoderKL -> the file's `names` (without prefix); foreign tensors are left out."""
    known = list(names)
    levels = 1 + max((int(match[3]) for match in map(BLOCK.fullmatch, known) if match), default=-1)
    placed = {_diffusers_name(name, levels): name for name in known}
    return {name: source for name, source in placed.items() if name is not None}


def vae_config(tensors: Sources, scale: float) -> dict[str, Any]:
    """Arguments of diffusers' AutoencoderKL, from tensors by their names there. KeyError if it is no such
    VAE.
    """
    levels = max(1, _count(tensors, "encoder.down_blocks."))
    firsts = [f"encoder.down_blocks.{level}.resnets.0.conv1.weight" for level in range(levels)]
    return {
        "in_channels": tensors["encoder.conv_in.weight"].shape[1],
        "out_channels": tensors["decoder.conv_out.weight"].shape[0],
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "block_out_channels": tuple(tensors[name].shape[0] for name in firsts),
        "layers_per_block": _count(tensors, "encoder.down_blocks.0.resnets."),
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "scaling_factor": scale,
        "use_quant_conv": "quant_conv.weight" in tensors,
        "use_post_quant_conv": "post_quant_conv.weight" in tensors,
    }


def _diffusers_name(name: str, levels: int) -> str | None:
    if PLAIN.fullmatch(name):
        return name
    if match := NORM_OUT.fullmatch(name):
        return f"{match[1]}.conv_norm_out.{match[2]}"
    if match := MIDDLE.fullmatch(name):
        return _middle_name(*match.groups())
    if match := BLOCK.fullmatch(name):
        side, way, level, part, layer, rest = match.groups()
        # The decoder's levels are counted from the picture inwards here, in the order of computing there.
        place = int(level) if way == "down" else levels - 1 - int(level)
        return f"{side}.{way}_blocks.{place}.{_part_name(part, layer, rest)}"
    return _current_name(name) if DIFFUSERS.fullmatch(name) else None


def _middle_name(side: str, kind: str, number: str, rest: str) -> str:
    place = int(number) - 1
    if kind == "block":
        return f"{side}.mid_block.resnets.{place}.{_resnet_name(rest)}"
    layer, _, last = rest.rpartition(".")
    return f"{side}.mid_block.attentions.{place}.{ATTENTION.get(layer, layer)}.{last}"


def _part_name(part: str, layer: str | None, rest: str) -> str:
    return f"{part}rs.0.{rest}" if layer is None else f"resnets.{layer}.{_resnet_name(rest)}"


def _resnet_name(rest: str) -> str:
    return rest.replace("nin_shortcut", "conv_shortcut")


def _current_name(name: str) -> str:
    head, layer, last = name.rsplit(".", 2)
    return f"{head}.{OLD_ATTENTION.get(layer, layer)}.{last}"


def _count(tensors: Sources, start: str) -> int:
    return len({name[len(start) :].split(".")[0] for name in tensors if name.startswith(start)})
