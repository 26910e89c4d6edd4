"""A UNet and a VAE that make fewer large tensors than diffusers' own, and the same bits.

Bringing new memory into the process takes a good part of the time where tensors are of the picture's size.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn.functional import silu

__all__ = ["make_frugal"]

M = TypeVar("M", bound=nn.Module)


def make_frugal(part: M) -> M:
    """`part`, a UNet or a VAE, whose residual blocks compute in place where nobody wants gradients; a VAE's
    last activations too. What a normalisation answered is no longer kept beside its activation: at the
    largest layers of a VAE that is a third of its peak.
    """
    for module in part.modules():
        if isinstance(module, nn.SiLU) and isinstance(part, AutoencoderKL):
            module.inplace = True
        elif type(module) is ResnetBlock2D and _is_plain(module):
            module.__class__ = _FrugalBlock
    return part


def _is_plain(block: ResnetBlock2D) -> bool:
    """Whether it does nothing but what all of them do in Stable Diffusion."""
    keeps_size = block.upsample is None and block.downsample is None
    adds_time = block.time_embedding_norm == "default" and not block.skip_time_act
    is_usual = isinstance(block.nonlinearity, nn.SiLU) and block.output_scale_factor == 1
    return keeps_size and adds_time and is_usual


class _FrugalBlock(ResnetBlock2D):
    """Only computes otherwise; it is made from one of diffusers' by a change of class."""

    def forward(self, input_tensor: Tensor, temb: Tensor | None = None) -> Tensor:
        """(B, C', h, w) from (B, C, h, w); `temb`: (B, T), what the time is to the UNet."""
        in_place = not torch.is_grad_enabled()
        changed = self.conv1(silu(self.norm1(input_tensor), inplace=in_place))
        if self.time_emb_proj is not None:
            changed = _sum(changed, self.time_emb_proj(silu(temb))[:, :, None, None], in_place)
        changed = self.conv2(silu(self.norm2(changed), inplace=in_place))
        if self.conv_shortcut is not None:
            input_tensor = self.conv_shortcut(input_tensor)
        return _sum(changed, input_tensor, in_place)


def _sum(own: Tensor, other: Tensor, in_place: bool) -> Tensor:
    """Under autocast the wider type counts."""
    return own.add_(other) if in_place and own.dtype == other.dtype else own + other
