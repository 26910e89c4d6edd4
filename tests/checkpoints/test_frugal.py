"""The VAE and the UNet that make fewer large tensors: the same bits as diffusers' own, and fewer."""

import copy
from collections.abc import Callable

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from modules.checkpoints.frugal import make_frugal

Way = Callable[[AutoencoderKL, Tensor], Tensor]


def decoded(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    return vae.decode(pixels[:, :1].repeat(1, 4, 1, 1)).sample


def encoded(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    return vae.encode(pixels).latent_dist.parameters


WAYS = pytest.mark.parametrize("way", [encoded, decoded])


@pytest.fixture
def vaes() -> tuple[AutoencoderKL, AutoencoderKL]:
    """Diffusers' own, and the same made frugal."""
    torch.manual_seed(5)
    plain = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 16, 16),
        norm_num_groups=4,
    ).eval()
    return plain, make_frugal(copy.deepcopy(plain))


class Counted(TorchDispatchMode):
    """Counts the results that have memory of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        answer = func(*args, **(kwargs or {}))
        given = {each.untyped_storage().data_ptr() for each in args if isinstance(each, Tensor)}
        answers = answer if isinstance(answer, tuple) else (answer,)
        self.made += sum(
            isinstance(each, Tensor) and each.untyped_storage().data_ptr() not in given for each in answers
        )
        return answer


@WAYS
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@torch.inference_mode()
def test_it_computes_the_same_bits(
    vaes: tuple[AutoencoderKL, AutoencoderKL], way: Way, layout: torch.memory_format
) -> None:
    pixels = torch.randn(2, 3, 24, 40).contiguous(memory_format=layout)
    before = pixels.clone()
    plain, frugal = (way(vae, pixels) for vae in vaes)
    assert torch.equal(plain, frugal)
    assert torch.equal(pixels, before)


@WAYS
@torch.inference_mode()
def test_the_wider_type_counts_under_autocast(vaes: tuple[AutoencoderKL, AutoencoderKL], way: Way) -> None:
    pixels = torch.randn(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        plain, frugal = (way(vae, pixels) for vae in vaes)
    assert plain.dtype == frugal.dtype
    assert torch.equal(plain, frugal)


@WAYS
@torch.inference_mode()
def test_it_makes_fewer_tensors(vaes: tuple[AutoencoderKL, AutoencoderKL], way: Way) -> None:
    made = []
    for vae in vaes:
        with Counted() as counted:
            way(vae, torch.randn(1, 3, 16, 16))
        made.append(counted.made)
    plain, frugal = made
    assert frugal < plain * 0.8


def test_what_it_does_not_know_stays_as_it_is() -> None:
    """A block with a factor of its own, as some files in diffusers' layout could have."""
    vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
    odd = vae.decoder.mid_block.resnets[0]
    odd.output_scale_factor = 2.0
    make_frugal(vae)
    assert type(odd).__name__ == "ResnetBlock2D"
    assert type(vae.decoder.mid_block.resnets[1]).__name__ != "ResnetBlock2D"


@pytest.fixture
def unets() -> tuple[UNet2DConditionModel, UNet2DConditionModel]:
    """Diffusers' own, and the same made frugal."""
    torch.manual_seed(6)
    plain = UNet2DConditionModel(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=12,
    ).eval()
    return plain, make_frugal(copy.deepcopy(plain))


def asked(unet: UNet2DConditionModel, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    size = (2, unet.config.in_channels, 16, 24)
    context = torch.randn(2, 7, unet.config.cross_attention_dim, generator=generator)
    return torch.randn(size, generator=generator), torch.tensor([500, 20]), context


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@torch.inference_mode()
def test_a_unet_computes_the_same_bits_with_fewer_tensors(
    unets: tuple[UNet2DConditionModel, UNet2DConditionModel], layout: torch.memory_format
) -> None:
    latent, time, context = asked(unets[0])
    latent = latent.contiguous(memory_format=layout)
    before, answers, made = latent.clone(), [], []
    for unet in unets:
        with Counted() as counted:
            answers.append(unet(latent, time, context).sample)
        made.append(counted.made)
    assert torch.equal(*answers)
    assert torch.equal(latent, before)
    assert made[1] < made[0] - 5 * 8  # five for each of its residual blocks


def test_gradients_come_through_a_frugal_unet(
    unets: tuple[UNet2DConditionModel, UNet2DConditionModel],
) -> None:
    slopes = []
    for unet in unets:
        latent, time, context = asked(unet)
        context.requires_grad_()
        unet(latent, time, context).sample.square().sum().backward()
        slopes.append(context.grad)
    assert slopes[0] is not None
    assert torch.equal(*slopes)
