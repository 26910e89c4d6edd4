"""The attention routines differ in speed and memory, not in their answer."""

import copy

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from modules.errors import InvalidRequest
from modules.memory import AttentionKind, Chunks, attention_scope, set_attention
from modules.memory.kinds import SLICED


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=16, attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ).eval()  # fmt: skip


def answer(unet: UNet2DConditionModel, kind: AttentionKind) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x, context = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 9, 16, generator=generator)
    with torch.inference_mode(), attention_scope(kind):
        return unet(x.to(unet.dtype), torch.tensor([30.0]), context.to(unet.dtype)).sample.float()


@pytest.mark.parametrize("kind", [kind for kind in AttentionKind if kind is not AttentionKind.XFORMERS])
def test_every_kind_gives_the_same_numbers(kind: AttentionKind, unet: UNet2DConditionModel) -> None:
    set_attention(unet, AttentionKind.NONE)
    expected = answer(unet, AttentionKind.NONE)
    set_attention(unet, kind)
    assert torch.allclose(answer(unet, kind), expected, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(SLICED))
@pytest.mark.parametrize("upcast", [False, True], ids=["plain", "upcast"])
def test_without_free_memory_slices_give_the_same_numbers(
    kind: AttentionKind, upcast: bool, unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_attention(unet, AttentionKind.NONE)
    expected = answer(unet, AttentionKind.NONE)
    monkeypatch.setattr("modules.memory.attention.free_memory", lambda device: 0)
    set_attention(unet, kind, upcast=upcast, chunks=Chunks(queries=7, keys=5))
    assert torch.allclose(answer(unet, kind), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [AttentionKind.SDP, *sorted(SLICED)])
def test_upcast_attention_is_the_same_formula(kind: AttentionKind, unet: UNet2DConditionModel) -> None:
    set_attention(unet, AttentionKind.NONE)
    expected = answer(unet, AttentionKind.NONE)
    set_attention(unet, kind, upcast=True)
    assert torch.allclose(answer(unet, kind), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [AttentionKind.SDP, AttentionKind.SUB_QUADRATIC])
def test_upcast_attention_survives_scores_that_overflow_in_half_precision(
    kind: AttentionKind, unet: UNet2DConditionModel
) -> None:
    set_attention(unet, kind, upcast=True)
    layer = next(module for name, module in unet.named_modules() if name.endswith("attn1"))
    hot = copy.deepcopy(layer).half()
    with torch.no_grad():
        hot.to_q.weight.mul_(3000)
        hot.to_k.weight.mul_(3000)
    x = torch.ones(1, 4, hot.to_q.in_features, dtype=torch.float16)
    assert hot(x).isfinite().all()
    assert hot(x).dtype == torch.float16
    with torch.autocast("cpu", dtype=torch.float16):
        assert hot(x).isfinite().all()
    hot.set_processor(AttnProcessor())
    assert not hot(x).isfinite().all()


def test_xformers_that_is_not_installed_is_said(
    unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidRequest, match="xformers") as refusal:
        set_attention(unet, AttentionKind.XFORMERS)
    assert refusal.value.field == "cross_attention_optimization"


def test_xformers_without_a_kernel_for_the_device_is_said(
    unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(InvalidRequest, match=r"cannot compute on cpu.*graphics cards"):
        set_attention(unet, AttentionKind.XFORMERS)
