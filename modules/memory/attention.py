"""Which attention routine the UNet computes with: the setting `cross_attention_optimization`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from modules.errors import InvalidRequest
from modules.memory.kinds import SLICED, AttentionKind
from modules.memory.room import free_memory
from modules.memory.slices import Chunks, Scores, sliced_attention, slices_of

__all__ = ["RoutineAttention", "attention_scope", "lightest_attention", "set_attention", "xformers_lack"]

Routine = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(B, H, N, C) of queries (B, H, N, C), keys and values (B, H, M, C), and the factor of the products."""


def lightest_attention(kind: AttentionKind, device: torch.device) -> AttentionKind:
    """The attention that takes the least memory on `device`; `kind` itself where it takes no more.

    On processors and NVIDIA's devices torch's own makes no matrix; elsewhere it may, and slices take less.
    """
    if device.type not in {"cpu", "cuda"}:
        return kind if kind in SLICED else AttentionKind.SUB_QUADRATIC
    return AttentionKind.AUTOMATIC if kind in {*SLICED, AttentionKind.NONE} else kind


def set_attention(
    unet: UNet2DConditionModel, kind: AttentionKind, *, upcast: bool = False, chunks: Chunks | None = None
) -> None:
    """Let every attention layer of `unet` compute as `kind` says.

    upcast: the setting `upcast_attn`: attention in float32 whatever the weights' type, for float16 overflows
    there in some models; kinds that make no slices do it by torch's routine. chunks: of the kind
    "sub-quadratic". Raises InvalidRequest when xformers is asked for and cannot compute here.
    """
    if kind in SLICED:
        routine = partial(_in_slices, kind=kind, chunks=chunks or Chunks())
        unet.set_attn_processor(RoutineAttention(routine, wide=upcast))
    elif upcast:
        unet.set_attn_processor(RoutineAttention(_torchs, wide=True))
    elif kind is AttentionKind.XFORMERS:
        if lack := xformers_lack(unet.device):
            raise InvalidRequest("cross_attention_optimization", lack)
        unet.enable_xformers_memory_efficient_attention()
    elif kind is AttentionKind.NONE:
        unet.set_attn_processor(AttnProcessor())
    else:
        unet.set_attn_processor(AttnProcessor2_0())


class RoutineAttention:
    """A processor for diffusers' attention layers that computes with `routine`; `wide`: projections in the
    weights' type, the rest in float32.
    """

    def __init__(self, routine: Routine, *, wide: bool = False) -> None:
        self._routine, self._wide = routine, wide

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: object
    ) -> Tensor:
        """(B, N, C) from queries of `hidden_states` (B, N, C) on `encoder_hidden_states` (B, M, D), or on
        itself.
        """
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        projected = attn.to_q(hidden_states), attn.to_k(source), attn.to_v(source)
        query, key, value = (part.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for part in projected)
        if self._wide:
            with torch.autocast(query.device.type, enabled=False):  # it would narrow them again
                seen = self._routine(query.float(), key.float(), value.float(), attn.scale)
        else:
            seen = self._routine(query, key, value, attn.scale)
        output: Tensor = attn.to_out[0](seen.transpose(1, 2).flatten(2).to(hidden_states.dtype))
        return output


def _torchs(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    return scaled_dot_product_attention(query, key, value, scale=scale)


def _in_slices(
    query: Tensor, key: Tensor, value: Tensor, scale: float, *, kind: AttentionKind, chunks: Chunks
) -> Tensor:
    heads = query.shape[:2]
    scores = Scores(heads.numel(), query.shape[2], key.shape[2], query.element_size())
    slices = slices_of(kind, scores, free_memory(query.device), chunks)
    query, key, value = (each.flatten(0, 1) for each in (query, key, value))
    return sliced_attention(query, key, value, scale, slices).unflatten(0, heads)


@contextmanager
def attention_scope(kind: AttentionKind) -> Iterator[None]:
    """Wraps the network's work: keeps the memory-efficient kernel away where `kind` asks for that."""
    if kind is not AttentionKind.SDP_NO_MEM:
        yield
        return
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        yield


def xformers_lack(device: torch.device) -> str | None:
    """A sentence that says why xformers cannot compute on `device`; None where it can."""
    advice = 'Choose "Automatic" in the settings, which is as fast with this torch'
    if importlib.util.find_spec("xformers") is None:
        return f"The attention xformers is chosen, but the package is not installed. {advice}, or install it."
    fault = _xformers_fault(device)
    return (
        f"The attention xformers is chosen, but it cannot compute on {device} ({fault}). {advice}."
        if fault
        else None
    )


@cache
def _xformers_fault(device: torch.device) -> str | None:
    """What xformers itself says to the smallest attention there is."""
    if device.type != "cuda":
        return "it is for graphics cards of NVIDIA and AMD"
    try:
        routines = importlib.import_module("xformers.ops")
        some = torch.zeros(1, 2, 40, device=device)
        routines.memory_efficient_attention(some, some, some)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return (str(error) or type(error).__name__).splitlines()[0]
    return None
