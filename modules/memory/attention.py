"""Which attention routine the UNet computes with: the setting `cross_attention_optimization`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from modules.errors import InvalidRequest

__all__ = ["AttentionKind", "attention_scope", "lightest_attention", "set_attention"]


class AttentionKind(StrEnum):
    """Values of the setting `cross_attention_optimization`."""

    AUTOMATIC = "Automatic"
    """torch's scaled dot product attention."""
    SDP = "sdp"
    """The same, asked for by name."""
    SDP_NO_MEM = "sdp-no-mem"
    """Without the memory-efficient kernel, whose results vary between runs."""
    XFORMERS = "xformers"
    SUB_QUADRATIC = "sub-quadratic"
    """In slices: slower, with less memory at large sizes. So are the three that follow."""
    V1 = "V1"
    INVOKEAI = "InvokeAI"
    DOGGETTX = "Doggettx"
    NONE = "None"
    """The plain formula, with the whole matrix in memory."""


SLICED = {
    AttentionKind.SUB_QUADRATIC,
    AttentionKind.V1,
    AttentionKind.INVOKEAI,
    AttentionKind.DOGGETTX,
}


def lightest_attention(kind: AttentionKind, device: torch.device) -> AttentionKind:
    """The attention that takes the least memory on `device`; `kind` itself where it takes no more.

    On processors and NVIDIA's devices torch's own makes no matrix; elsewhere it may, and slices take less.
    """
    if device.type not in {"cpu", "cuda"}:
        return kind if kind in SLICED else AttentionKind.SUB_QUADRATIC
    return AttentionKind.AUTOMATIC if kind in {*SLICED, AttentionKind.NONE} else kind


def set_attention(unet: UNet2DConditionModel, kind: AttentionKind, *, upcast: bool = False) -> None:
    """Let every attention layer of `unet` compute as `kind` says.

    upcast: the setting `upcast_attn`: attention in float32 whatever the weights' type, by torch's routine,
    for float16 overflows there in some models. Raises InvalidRequest when xformers is asked for and not
    installed.
    """
    if upcast:
        unet.set_attn_processor(WideAttention())
    elif kind is AttentionKind.XFORMERS:
        _require_xformers()
        unet.enable_xformers_memory_efficient_attention()
    elif kind in SLICED:
        unet.set_attention_slice("auto")
    elif kind is AttentionKind.NONE:
        unet.set_attn_processor(AttnProcessor())
    else:
        unet.set_attn_processor(AttnProcessor2_0())


class WideAttention:
    """A processor for diffusers' attention layers: projections in the weights' type, the rest in float32."""

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: object
    ) -> Tensor:
        """(B, N, C) from queries of `hidden_states` (B, N, C) on `encoder_hidden_states` (B, M, D), or on
        itself.
        """
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        projected = attn.to_q(hidden_states), attn.to_k(source), attn.to_v(source)
        query, key, value = (
            part.unflatten(-1, (attn.heads, -1)).transpose(1, 2).float() for part in projected
        )
        with torch.autocast(query.device.type, enabled=False):  # it would narrow them again
            seen = scaled_dot_product_attention(query, key, value, scale=attn.scale)
        output: Tensor = attn.to_out[0](seen.transpose(1, 2).flatten(2).to(hidden_states.dtype))
        return output


@contextmanager
def attention_scope(kind: AttentionKind) -> Iterator[None]:
    """Wraps the network's work: keeps the memory-efficient kernel away where `kind` asks for that."""
    if kind is not AttentionKind.SDP_NO_MEM:
        yield
        return
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        yield


def _require_xformers() -> None:
    if importlib.util.find_spec("xformers") is None:
        raise InvalidRequest(
            "cross_attention_optimization",
            "The attention xformers is chosen, but the package is not installed: start with --xformers once, "
            'or choose "Automatic" in the settings, which is as fast with this torch.',
        )
