"""Layers that keep their weights in fewer bits than they compute in: the same bits come out of them."""

import copy
import threading

import pytest
import torch
from torch import nn

from modules.checkpoints import load_model, narrow, tensor_file
from modules.checkpoints.narrow import compute_in_parts, narrow_layers, widen_when_computing
from modules.memory import DevicePolicy

PLAIN = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
KEEPING = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32, keeps_file_types=True)


@pytest.fixture
def every_layer_counts(monkeypatch):
    """However small it is."""
    monkeypatch.setattr(narrow, "SMALL", 0)


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def both(layer, dtype=torch.float16):
    """The layer with its weight rounded to `dtype`, and the same with the weight kept in it."""
    layer.requires_grad_(False)
    layer.weight.copy_(layer.weight.to(dtype))
    kept = copy.deepcopy(layer)
    widen_when_computing(kept, torch.float32)
    kept.weight.data = kept.weight.data.to(dtype)
    return layer, kept


@torch.inference_mode()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_what_is_kept_narrow_computes_the_same_bits(dtype):
    cases = [
        (nn.Linear(24, 40), numbers(3, 24)),
        (nn.Linear(24, 7, bias=False), numbers(2, 5, 24)),
        (nn.Conv2d(8, 12, 3, padding=1), numbers(2, 8, 9, 7)),
        (nn.Conv2d(8, 12, 3, padding=1, padding_mode="circular"), numbers(1, 8, 6, 6)),
        (nn.Conv2d(8, 4, 1, bias=False), numbers(1, 8, 5, 5)),
        (nn.Embedding(50, 8), torch.tensor([[3, 49, 0]])),
    ]
    for layer, given in cases:
        wide, kept = both(layer, dtype)
        assert kept.weight.dtype is dtype
        answer = kept(given)
        assert answer.dtype is torch.float32
        assert torch.equal(answer, wide(given)), layer


@torch.inference_mode()
@pytest.mark.parametrize("is_narrow", [False, True])
@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(16, 30, 3, padding=1),
        nn.Conv2d(16, 30, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(16, 31, 3, padding=1, padding_mode="circular"),
    ],
)
@pytest.mark.parametrize("laid_out", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_in_parts_is_the_whole_to_the_bit(monkeypatch, convolution, is_narrow, laid_out):
    wide, kept = both(copy.deepcopy(convolution))
    given = numbers(2, 16, 12, 10).to(memory_format=laid_out)
    expected = wide(given)
    monkeypatch.setattr(narrow, "PART", 16 * 9 * 8)
    part = kept if is_narrow else copy.deepcopy(wide)
    if not is_narrow:
        compute_in_parts(part, torch.float32)
        assert type(part) is not nn.Conv2d
    made = []
    monkeypatch.setattr(torch, "cat", lambda parts, dim: made.extend(parts) or real(parts, dim=dim))
    assert torch.equal(part(given), expected)
    assert len(made) == 4


real = torch.cat


def test_small_and_grouped_convolutions_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(narrow, "PART", 16 * 9 * 8)
    for layer in (nn.Conv2d(16, 8, 3), nn.Conv2d(64, 64, 3, groups=4)):
        compute_in_parts(layer, torch.float32)
        assert type(layer) is nn.Conv2d


def test_gradients_pass_through_two_layers_one_after_the_other():
    layers = [both(nn.Linear(6, 6)) for _ in range(2)]
    wide, kept = (nn.Sequential(*(pair[place] for pair in layers)) for place in (0, 1))
    slopes = []
    for network in (wide, kept):
        given = numbers(2, 6).requires_grad_()
        network(given).square().sum().backward()
        slopes.append(given.grad)
    assert torch.equal(*slopes)


@torch.inference_mode()
def test_threads_do_not_share_the_place_where_a_weight_is_wide():
    pairs = [both(nn.Linear(64, 64)) for _ in range(4)]
    given = numbers(8, 64)
    expected = [wide(given) for wide, _ in pairs]
    wrong = []

    @torch.inference_mode()
    def compute(place):
        answers = [pairs[place][1](given) for _ in range(200)]
        wrong.extend(each for each in answers if not torch.equal(each, expected[place]))

    threads = [threading.Thread(target=compute, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_large_weights_stay_as_in_the_file_and_the_rest_is_wide(tiny_tensors, saved, configs, monkeypatch):
    sizes = sorted(layer.numel() for layer in tiny_tensors.values())
    monkeypatch.setattr(narrow, "SMALL", sizes[len(sizes) // 2])
    model = load_model(saved(tiny_tensors), KEEPING, configs)
    plain = load_model(saved(tiny_tensors), PLAIN, configs)
    narrow_ones = 0
    for part, expected in zip(model.modules, plain.modules, strict=True):
        layers = narrow_layers(expected)
        for (name, kept), wide in zip(part.named_parameters(), expected.named_parameters(), strict=True):
            large = name.removesuffix(".weight") in layers and kept.numel() >= narrow.SMALL
            assert kept.dtype is (torch.float16 if large else torch.float32), name
            assert torch.equal(kept.float(), wide[1]), name
            narrow_ones += large
    assert narrow_ones > 20
    assert model.nbytes < plain.nbytes
    assert model.unet.dtype is model.vae.dtype is torch.float32


def test_files_of_8_bits_stay_in_16_and_those_with_scales_are_wide(
    tiny_tensors, saved, configs, every_layer_counts
):
    name = "model.diffusion_model.middle_block.1.proj_in.weight"
    other = "model.diffusion_model.middle_block.1.proj_out.weight"
    eight = {key: tiny_tensors[key].to(torch.float8_e4m3fn) for key in (name, other)}
    scale = {other.removesuffix("weight") + "scale_weight": torch.tensor(0.3)}
    model = load_model(saved(tiny_tensors | eight | scale), KEEPING, configs)
    middle = model.unet.mid_block.attentions[0]
    assert middle.proj_in.weight.dtype is torch.float16
    assert torch.equal(
        middle.proj_in.weight.float(), eight[name].float().reshape(middle.proj_in.weight.shape)
    )
    assert middle.proj_out.weight.dtype is torch.float32


def test_files_of_full_precision_are_wide(tiny_tensors, saved, configs, every_layer_counts):
    wide = {name: tensor.float() for name, tensor in tiny_tensors.items() if tensor.is_floating_point()}
    model = load_model(saved(tiny_tensors | wide), KEEPING, configs)
    types = {parameter.dtype for part in model.modules for parameter in part.parameters()}
    assert types == {torch.float32}


@pytest.mark.parametrize("policy", [KEEPING, PLAIN])
def test_a_file_is_read_the_same_with_and_without_reading_at_places(
    policy, tiny_tensors, saved, configs, monkeypatch, every_layer_counts
):
    expected = load_model(saved(tiny_tensors), policy, configs)
    for places in (True, False):
        monkeypatch.setattr(tensor_file, "READS_AT_PLACES", places and tensor_file.READS_AT_PLACES)
        model = load_model(saved(tiny_tensors), policy, configs)
        for one, other in zip(model.modules, expected.modules, strict=True):
            assert all(map(torch.equal, one.parameters(), other.parameters()))
