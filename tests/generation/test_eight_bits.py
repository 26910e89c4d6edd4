"""Weights that are kept in 8 bits: which, how they compute, what networks are added to, what is told."""

import numpy as np
import pytest
import torch

from modules.checkpoints import EightBits, Family, KeptWeights, exact_weight
from modules.checkpoints.narrow import LARGEST, narrowed
from modules.infotext import read_infotext
from modules.memory import DevicePolicy
from modules.settings import Options

from .drawing import pixels

LORA = {"prompt": "a cat <lora:tiny-lora:1>"}


@pytest.fixture
def kept(draw, house):
    """A function that draws so; afterwards the weights are wide again."""
    yield lambda values=None, **settings: draw(values, fp8_storage="Enable", **settings)
    house.engine.unload()


@pytest.mark.parametrize(
    ("setting", "family", "device", "narrow"),
    [
        ("Disable", Family.SDXL, "cuda", False),
        ("Enable for SDXL", Family.SD1, "cuda", False),
        ("Enable for SDXL", Family.SDXL, "cuda", True),
        ("Enable", Family.SD1, "cpu", True),
        ("Enable", Family.SD1, "mps", False),
    ],
)
def test_the_setting_says_for_which_models(setting, family, device, narrow):
    policy = DevicePolicy(torch.device(device), torch.float32, torch.float32)
    assert KeptWeights.of(setting, False, family, policy).eight_bits is narrow


def test_every_choice_of_the_setting_is_known():
    known = Options.model_fields["fp8_storage"].annotation.__args__
    assert set(known) == set(EightBits)


def test_large_layers_are_kept_in_8_bits_and_the_rest_as_it_computes(kept, house):
    kept()
    model = house.engine.model
    types = {name: parameter.dtype for name, parameter in model.unet.named_parameters()}
    assert types["down_blocks.0.resnets.0.conv1.weight"] is torch.float8_e4m3fn
    assert types["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"] is torch.float8_e4m3fn
    assert types["down_blocks.0.resnets.0.conv1.bias"] is torch.float32
    assert types["mid_block.attentions.0.transformer_blocks.0.norm1.weight"] is torch.float32
    assert model.unet.dtype is torch.float32
    encoder = model.towers[0].encoder
    assert encoder.encoder.layers[0].mlp.fc1.weight.dtype is torch.float8_e4m3fn
    assert {parameter.dtype for parameter in model.vae.parameters()} <= {torch.float32, torch.float16}
    unet = sum(parameter.nbytes for parameter in model.unet.parameters())
    assert unet < sum(parameter.numel() for parameter in model.unet.parameters()) * 1.2


def test_the_picture_is_that_of_the_rounded_weights(kept, draw, house):
    exact = pixels(draw())[0]
    made = pixels(kept())[0]
    assert not np.array_equal(made, exact)
    assert np.abs(made - exact).mean() < 12
    house.engine.unload()
    draw()
    with torch.no_grad():
        model = house.engine.model
        for module in (model.unet, model.towers[0].encoder):
            for name, layer in module.named_modules():
                if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d) and name != "conv_in":
                    layer.weight.copy_(layer.weight.to(torch.float8_e4m3fn).float())
    rounded = pixels(draw(persistent_cond_cache=False))[0]
    assert np.array_equal(rounded, made)


def test_a_network_is_put_on_and_taken_off_exactly(kept, house):
    before = pixels(kept())[0]
    worn = pixels(kept(LORA))[0]
    assert not np.array_equal(worn, before)
    assert np.array_equal(pixels(kept())[0], before)


def test_with_exact_copies_networks_are_added_to_what_the_file_holds(kept, house):
    rough = pixels(kept(LORA))[0]
    fine = pixels(kept(LORA, cache_fp16_weight=True))[0]
    assert not np.array_equal(rough, fine)
    layer = house.engine.model.unet.get_submodule("mid_block.attentions.0.proj_in")
    assert exact_weight(layer).dtype is torch.float32
    assert len(exact_weight(layer).unique()) > 256


def test_the_text_of_a_picture_says_so_and_only_then(kept, draw):
    def fields(result):
        return read_infotext(result.pictures[0].infotext).fields

    told = fields(kept(cache_fp16_weight=True))
    assert (told["FP8 weight"], told["Cache FP16 weight for LoRA"]) == ("Enable", "True")
    assert list(told).index("FP8 weight") == list(told).index("Model") + 1
    plain = fields(draw(fp8_storage="Enable for SDXL", cache_fp16_weight=True))
    assert not {"FP8 weight", "Cache FP16 weight for LoRA"} & set(plain)


def test_the_forecast_counts_them_in_their_size(kept, house):
    kept()
    model = house.engine.model
    assert house.engine.guard._book.costs(model.checkpoint, "Enable").weights == model.nbytes


def test_numbers_beyond_8_bits_become_the_largest():
    numbers = torch.tensor([1e6, -1e6, 2.0])
    assert narrowed(numbers, torch.float8_e4m3fn).float().tolist() == [LARGEST, -LARGEST, 2.0]
