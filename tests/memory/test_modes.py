"""Memory modes: which one the flags ask for, what is on the device at a time, and that all comes back."""

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from modules.flags import Flags
from modules.memory import (
    MemoryMode,
    Placement,
    lighter,
    lightest,
    mode_of_flags,
    modes_matter,
    most_at_a_time,
)

NORMAL, MEDVRAM, LOWVRAM = MemoryMode
LIGHTER = [MEDVRAM, LOWVRAM]


@pytest.mark.parametrize(
    ("flags", "is_xl", "mode"),
    [
        ({}, True, NORMAL),
        ({"medvram": True}, False, MEDVRAM),
        ({"medvram_sdxl": True}, False, NORMAL),
        ({"medvram_sdxl": True}, True, MEDVRAM),
        ({"medvram_sdxl": True, "lowvram": True}, True, LOWVRAM),
        ({"medvram": True, "lowvram": True}, False, LOWVRAM),
    ],
)
def test_the_flag_that_saves_most_counts(flags, is_xl, mode):
    assert mode_of_flags(Flags(**flags), is_xl=is_xl) is mode


def test_modes_are_in_the_order_of_what_they_take():
    assert [lighter(mode) for mode in MemoryMode] == [MEDVRAM, LOWVRAM, None]
    assert lightest(NORMAL, LOWVRAM, MEDVRAM) is LOWVRAM


@pytest.mark.parametrize(
    ("device", "matters"), [("cuda", True), ("xpu", True), ("cpu", False), ("mps", False)]
)
def test_only_devices_with_memory_of_their_own_have_anything_to_save(device, matters):
    assert modes_matter(torch.device(device)) is matters


class Watched:
    """A part, and where its numbers lay at first."""

    def __init__(self, part):
        self.part = part
        self.first = self.addresses

    @property
    def addresses(self):
        return [tensor.data_ptr() for tensor in (*self.part.parameters(), *self.part.buffers())]

    @property
    def is_home(self):
        moved = [now != before for now, before in zip(self.addresses, self.first, strict=True)]
        assert all(moved) or not any(moved)
        return not any(moved)


@pytest.mark.parametrize("mode", LIGHTER)
def test_a_part_that_comes_sends_the_one_before_it_home(mode):
    first, second = Watched(nn.Linear(4, 4)), Watched(nn.BatchNorm1d(4))
    placement = Placement()
    with placement.drawing(mode):
        with placement.at_work(first.part):
            assert (first.is_home, second.is_home) == (False, True)
        assert not first.is_home
        with placement.at_work(second.part):
            assert (first.is_home, second.is_home) == (True, False)
    assert first.is_home and second.is_home
    assert placement.on_device == ()


def test_in_the_normal_mode_nothing_moves():
    part, placement = Watched(nn.Linear(4, 4)), Placement(torch.device("meta"))
    with placement.drawing(NORMAL), placement.at_work(part.part):
        assert part.is_home
    assert placement.resting_place == torch.device("meta")


def test_work_that_fails_leaves_nothing_on_the_device():
    part, placement = Watched(nn.Linear(4, 4)), Placement()
    with placement.drawing(MEDVRAM):
        with pytest.raises(ZeroDivisionError), placement.at_work(part.part):
            raise ZeroDivisionError
        assert part.is_home


@pytest.fixture
def unet():
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(8, 16), down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=8, attention_head_dim=4,
        norm_num_groups=4, layers_per_block=1,
    ).eval()  # fmt: skip


def hooked(module):
    return [name for name, each in module.named_modules() if getattr(each, "_diffusers_hook", None) and each._diffusers_hook.hooks]  # fmt: skip


@torch.inference_mode()
def test_a_network_that_goes_block_by_block_answers_the_same_bits_and_keeps_no_hooks(unet):
    seen = torch.randn(1, 4, 8, 8), 5, torch.randn(1, 3, 8)
    expected = unet(*seen).sample
    weights = {name: weight.clone() for name, weight in unet.state_dict().items()}
    placement = Placement()
    with placement.drawing(LOWVRAM):
        with placement.at_work(unet, by_blocks=True):
            assert torch.equal(unet(*seen).sample, expected)
        assert {"down_blocks.0.attentions.0", "mid_block.resnets.1", "up_blocks.1.resnets.0"} <= set(
            hooked(unet)
        )
        with pytest.raises(RuntimeError), placement.at_work(unet, by_blocks=True):
            unet(seen[0], 5, torch.randn(1, 3, 9))
        assert hooked(unet) == []
        with placement.at_work(unet, by_blocks=True):
            assert torch.equal(unet(*seen).sample, expected)
    assert hooked(unet) == []
    assert all(torch.equal(weight, weights[name]) for name, weight in unet.state_dict().items())


def test_of_a_network_two_layers_and_what_is_in_none_are_there_at_a_time(unet):
    sizes = {
        name: sum(parameter.nbytes for parameter in module.parameters())
        for name, module in unet.named_modules()
    }
    in_layers = [name for name in sizes if name.rpartition(".")[0].rpartition(".")[2] in ("attentions", "resnets", "downsamplers", "upsamplers")]  # fmt: skip
    largest = sorted(sizes[name] for name in in_layers)
    expected = sizes[""] - sum(largest) + sum(largest[-2:])
    assert (
        most_at_a_time(unet, lambda part: sum(parameter.nbytes for parameter in part.parameters()))
        == expected
    )
