"""A LoRA that is baked in gives the model with that LoRA."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from modules.adapters import AdapterShelves, Wardrobe
from modules.checkpoints import CheckpointShelf, HashCache, load_model
from modules.errors import InvalidRequest
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import SilentWatcher, parse_txt2img
from modules.house import make_house
from modules.memory import DevicePolicy
from modules.prompts import take_network_tags

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
KINDS = ["tiny-lora", "tiny-locon", "tiny-loha", "tiny-lokr", "tiny-ia3", "tiny-full", "tiny-dora"]

pytestmark = pytest.mark.usefixtures("recorded")


@pytest.fixture(scope="module")
def worn(all_parity_models, tmp_path_factory):
    """tiny-sd1 in memory, and how it is made to wear the networks of a prompt."""
    data = tmp_path_factory.mktemp("worn")
    folders = make_folders(data, all_parity_models)
    hashes = HashCache(data / "hashes.json")
    model = load_model(CheckpointShelf(folders, hashes).find("tiny-sd1"), CPU, folders.configs)
    wardrobe = Wardrobe(model, AdapterShelves(folders, hashes))

    def wear(prompt):
        assert len(wardrobe.wear(take_network_tags(prompt)[1]).networks) == prompt.count("<lora:")
        return numbers_of(model)

    return wear


@pytest.fixture(scope="module")
def plain(worn):
    return worn("")


def make_folders(data, models):
    words = ["--data-dir", str(data), "--ckpt-dir", str(models), "--lora-dir", str(models / "Lora")]
    return Folders.from_flags(parse_flags(words, environment={}))


def numbers_of(model):
    parts = {"unet": model.unet, **{f"tower {n}": tower.encoder for n, tower in enumerate(model.towers)}}
    return {
        f"{part}.{name}": tensor.clone()
        for part, module in parts.items()
        for name, tensor in module.named_parameters()
    }


def is_rounded_once(found, computed):
    """Whether `found` is `computed`, which is float32, rounded to float16 and nothing else.

    Where a number lies in the middle between two of float16, the last bit of float32 decides, and that depends
    on how many threads of this processor summed it up.
    """
    steps = torch.exp2(torch.floor(torch.log2(computed.abs())).clamp(min=-14) - 10)
    rounding = computed.abs().max() * torch.finfo(torch.float32).eps * 4
    return bool(((found - computed).abs() <= steps / 2 + rounding).all())


@pytest.fixture
def loaded(folders, shelves):
    """The numbers of a checkpoint as it is loaded."""
    return lambda name: numbers_of(load_model(shelves().checkpoints.find(name), CPU, folders.configs))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_baked_in_as_it_is_worn(kind, worn, plain, merge, loaded):
    done = merge(
        primary="tiny-sd1", secondary=None, interp_method="No interpolation", custom_name="baked",
        loras=[{"name": kind, "text": 0.6, "unet": 0.9}],
    )  # fmt: skip
    expected, found = worn(f"<lora:{kind}:0.6:0.9>"), loaded("baked")
    changed = [name for name in plain if not torch.equal(plain[name], expected[name])]
    assert changed and done.dry.with_loras >= len(changed)
    for name, tensor in expected.items():
        assert is_rounded_once(found[name], tensor), name


def test_several_are_baked_in_one_after_the_other(worn, merge, loaded):
    loras = [{"name": "tiny-lora", "text": 0.5, "unet": 0.5}, {"name": "tiny-loha", "text": 0.0, "unet": 0.7}]
    merge(
        primary="tiny-sd1", secondary=None, interp_method="No interpolation", custom_name="baked", loras=loras
    )
    expected = worn("<lora:tiny-lora:0.5><lora:tiny-loha:0:0.7>")
    found = loaded("baked")
    assert all(is_rounded_once(found[name], tensor) for name, tensor in expected.items())


def test_into_a_merge_and_in_another_type(merge, loaded):
    lora = [{"name": "tiny-lora"}]
    values = {"primary": "tiny-sd1", "secondary": "tiny-sd1-b", "save_as": "float32"}
    merge(**values, custom_name="plain")
    merge(**values, custom_name="baked", loras=lora)
    merge(primary="plain", secondary=None, interp_method="No interpolation", custom_name="after", loras=lora)
    baked, after, plain = loaded("baked"), loaded("after"), loaded("plain")
    assert all(torch.equal(baked[name], after[name]) for name in after)
    assert any(not torch.equal(baked[name], plain[name]) for name in plain)


def test_a_module_that_is_a_third_of_a_tensor(folders, merge, loaded):
    """OpenCLIP's attention keeps three modules in one; only the one that is named changes."""
    values = {
        "primary": "tiny-sd2",
        "secondary": None,
        "interp_method": "No interpolation",
        "save_as": "float32",
    }
    merge(**values, custom_name="plain")
    before = loaded("plain")
    name = "tower 0.encoder.layers.1.self_attn.k_proj.weight"
    width = before[name].shape[0]
    up, down = torch.randn(width, 2), torch.randn(2, width)
    module = "lora_te1_text_model_encoder_layers_1_self_attn_k_proj"
    (folders.models / "Lora").mkdir()
    save_file(
        {f"{module}.lora_up.weight": up, f"{module}.lora_down.weight": down},
        folders.models / "Lora" / "k.safetensors",
    )
    done = merge(**values, custom_name="baked", loras=[{"name": "k"}])
    after = loaded("baked")
    assert [each for each in before if not torch.equal(before[each], after[each])] == [name]
    assert torch.allclose(after[name], before[name] + up @ down, atol=1e-6)
    assert done.dry.with_loras == 1


def test_a_lora_that_does_not_fit_is_refused(folders, plan):
    (folders.models / "Lora").mkdir()
    module = "lora_te1_text_model_encoder_layers_1_self_attn_k_proj"
    save_file(
        {f"{module}.lora_up.weight": torch.ones(9, 2), f"{module}.lora_down.weight": torch.ones(2, 9)},
        folders.models / "Lora" / "k.safetensors",
    )
    with pytest.raises(InvalidRequest, match=r"fits no module of tiny-sd1\.safetensors") as error:
        plan(primary="tiny-sd1", secondary=None, interp_method="No interpolation", loras=[{"name": "k"}])
    assert error.value.field == "loras"


def test_a_picture_is_that_of_the_prompt_with_the_lora(tmp_path, all_parity_models, merge, folders):
    merge(
        primary="tiny-sd1", secondary=None, interp_method="No interpolation", custom_name="baked",
        loras=[{"name": "tiny-lora", "text": 0.8, "unet": 0.8}],
    )  # fmt: skip
    words = ["--data-dir", str(tmp_path), "--lora-dir", str(all_parity_models / "Lora")]
    house = make_house(parse_flags(words, environment={}))
    try:
        worn = draw(house, "tiny-sd1", "a red house <lora:tiny-lora:0.8>")
        baked = draw(house, "baked", "a red house")
        plain = draw(house, "tiny-sd1", "a red house")
    finally:
        house.close()
    assert np.abs(worn - baked).mean() < 0.5 < np.abs(worn - plain).mean()


def draw(house, checkpoint, prompt):
    options = house.store.options.overridden({"sd_model_checkpoint": checkpoint})
    request = parse_txt2img(
        {"prompt": prompt, "seed": 1, "steps": 4, "width": 64, "height": 64, "sampler_name": "Euler"}
    )
    run = house.engine.plan(request, options, house.styles, save=False)
    result = house.engine.make(run, SilentWatcher())
    return np.asarray(result.pictures[0].pixels(), float)
