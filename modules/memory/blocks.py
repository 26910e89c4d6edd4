"""A network that stays in the machine's memory and passes through the device layer by layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import UNet2DConditionModel
from diffusers.hooks import HookRegistry, apply_group_offloading
from torch import nn

from modules.memory.room import memory_for_us, resident_memory

__all__ = ["go_block_by_block", "most_at_a_time", "stay_whole"]

BLOCK_LISTS = ["down_blocks", "mid_block", "up_blocks"]
MOST_BLOCKS = 8
"""More than any UNet has in one list. Where blocks are named, diffusers goes by the layers within them: the
largest is a third of the largest block in Stable Diffusion XL.
"""
WITH_STREAMS = {"cuda", "xpu"}
"""Devices that fetch memory while they compute."""
HOOKS = ("lazy_prefetch_group_offloading", "layer_execution_tracker", "group_offloading")


def go_block_by_block(unet: nn.Module, device: torch.device, home: torch.device) -> None:
    """Let the layers of `unet`, which lies at `home`, come to `device` while they compute, until
    `stay_whole`.

    A layer comes while the one before it computes. The memory at home is pinned for that, all of it at once
    where the machine has room for a second copy meanwhile.
    """
    apply_group_offloading(
        unet,
        onload_device=device,
        offload_device=home,
        offload_type="block_level",
        num_blocks_per_group=1,
        use_stream=device.type in WITH_STREAMS,
        low_cpu_mem_usage=not _fits_twice(unet, home),
        block_modules=[*BLOCK_LISTS, *map(str, range(MOST_BLOCKS))],
    )


def stay_whole(unet: nn.Module, device: torch.device, home: torch.device) -> None:
    """Undo `go_block_by_block`, wherever in a step it was left: all of `unet` is at `home`, the same bits."""
    if device.type in WITH_STREAMS:
        torch.get_device_module(device).synchronize(device)
    registry = HookRegistry.check_if_exists_or_initialize(unet)
    for hook in HOOKS:
        registry.remove_hook(hook, recurse=True)
    unet.to(home)


def most_at_a_time(unet: UNet2DConditionModel, bytes_of: Callable[[nn.Module], int]) -> int:
    """Bytes of `unet` that are on the device at a time, at most, while it goes block by block: what is in no
    block, a layer, and the next that comes meanwhile.
    """
    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    layers = [
        bytes_of(layer)
        for block in blocks
        for group in block.children()
        if isinstance(group, nn.ModuleList)
        for layer in group
    ]
    return bytes_of(unet) - sum(layers) + sum(sorted(layers)[-2:])


def _fits_twice(unet: nn.Module, home: torch.device) -> bool:
    room = memory_for_us(home)
    needed = sum(parameter.nbytes for parameter in unet.parameters())
    return room is None or room - resident_memory() > needed
