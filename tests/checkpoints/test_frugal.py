"""The VAE that makes fewer large tensors: the same bits as diffusers' own, and fewer."""

import copy
from collections.abc import Callable

import pytest
import torch
from diffusers import AutoencoderKL
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
