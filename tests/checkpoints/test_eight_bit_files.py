"""Checkpoints whose files hold 8 bits a number: every number is read exactly."""

import pytest
import torch

from modules.checkpoints import load_model
from modules.errors import EaselError
from modules.memory import DevicePolicy

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
LARGEST = 448.0
UNET = "model.diffusion_model."


def is_layer(name: str, tensor: torch.Tensor) -> bool:
    return name.startswith(UNET) and name.endswith(".weight") and tensor.dim() > 1


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_each_number_is_the_one_in_the_file(dtype, tiny_tensors, saved, configs):
    narrow = {name: tensor.to(dtype) for name, tensor in tiny_tensors.items()}
    wide = {name: tensor.float() for name, tensor in narrow.items()}
    assert_same(
        load_model(saved(narrow), CPU, configs), load_model(saved(wide, "w.safetensors"), CPU, configs)
    )


def test_the_scale_of_a_layer_is_multiplied_in(tiny_tensors, saved, configs):
    narrow, wide = dict(tiny_tensors), dict(tiny_tensors)
    for name, tensor in tiny_tensors.items():
        if is_layer(name, tensor):
            scale = tensor.float().abs().max() / LARGEST
            narrow[name] = (tensor.float() / scale).to(torch.float8_e4m3fn)
            narrow[name.removesuffix("weight") + "scale_weight"] = scale
            wide[name] = narrow[name].float() * scale
    model = load_model(saved(narrow), CPU, configs)
    assert_same(model, load_model(saved(wide, "wide.safetensors"), CPU, configs))


def test_scales_of_another_kind_are_refused(tiny_tensors, saved, configs):
    name = next(name for name, tensor in tiny_tensors.items() if is_layer(name, tensor))
    scales = {name.removesuffix("weight") + "scale_weight": torch.ones(tiny_tensors[name].shape[0])}
    with pytest.raises(EaselError, match="one scale a layer"):
        load_model(saved(tiny_tensors | scales), CPU, configs)


def assert_same(model, expected):
    for one, other in zip(model.modules, expected.modules, strict=True):
        for (name, numbers), wanted in zip(one.named_parameters(), other.parameters(), strict=True):
            assert torch.equal(numbers, wanted), name
