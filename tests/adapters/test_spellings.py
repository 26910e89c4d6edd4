"""How training programs write the names of a network's tensors: every spelling means the same module."""

import pytest
import torch
from safetensors.torch import load_file

from modules.adapters import module_places
from modules.adapters.names import Place, split_name
from modules.checkpoints import CheckpointFile, HashCache, outline_model
from modules.flags import parse_flags
from modules.folders import Folders

QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
OUT = "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0"
ORIGINAL = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
TEXT = "text_model.encoder.layers.1.self_attn.q_proj"
TEXT_OUT = "text_model.encoder.layers.1.self_attn.out_proj"

HALVES = {
    "lora_down.weight": "lora_up.weight",
    "lora_A.weight": "lora_B.weight",
    "lora_A.default.weight": "lora_B.default.weight",
    "lora_A.my style.weight": "lora_B.my style.weight",
    "lora.down.weight": "lora.up.weight",
    "lora_linear_layer.down.weight": "lora_linear_layer.up.weight",
}
UNET_MODULES = (
    *(f"{start}{QUERY}" for start in ("", "unet.", "transformer.", "base_model.model.", "base_model.model.unet.",
                                      "unet.base_model.model.", "module.unet.")),
    *(f"{start}{ORIGINAL}" for start in ("diffusion_model.", "model.diffusion_model.", "unet.",
                                         "base_model.model.diffusion_model.")),
    *(f"{start}{name.replace('.', '_')}" for start in ("lora_unet_", "lycoris_", "unet.", "unet.lora_unet_")
      for name in (QUERY, ORIGINAL)),
    f"{QUERY.removesuffix('to_q')}to_q.base_layer",
)  # fmt: skip
FIRST_TEXT = (
    *(f"{start}{TEXT}" for start in ("", "text_encoder.", "text_encoder_1.", "te1.", "te.", "clip_l.",
                                     "text_encoders.clip_l.transformer.", "base_model.model.",
                                     "cond_stage_model.transformer.", "conditioner.embedders.0.transformer.",
                                     "text_encoder.base_model.model.")),
    *(f"{start}{TEXT.replace('.', '_')}" for start in ("lora_te_", "lora_te1_", "te1_", "text_encoder.", "lycoris_")),
    f"text_encoder.{TEXT.removeprefix('text_model.')}",
)  # fmt: skip
SECOND_TEXT = (
    *(f"{start}{TEXT}" for start in ("text_encoder_2.", "te2.", "clip_g.", "text_encoders.clip_g.transformer.",
                                     "base_model.model.text_encoder_2.")),
    f"lora_te2_{TEXT.replace('.', '_')}",
)  # fmt: skip


def outline_of(models, name, tmp_path):
    file = CheckpointFile(models / f"{name}.safetensors", HashCache(tmp_path / "hashes.json"), name)
    configs = Folders.from_flags(parse_flags(["--data-dir", str(tmp_path)], environment={})).configs
    return outline_model(file, configs)


@pytest.fixture(scope="module")
def places(parity_models, tmp_path_factory):
    """Of the UNet of a small model of version 1, and of the two text encoders of one of XL."""
    folder, found = tmp_path_factory.mktemp("hashes"), {}
    for model, is_text in (("tiny-sd1", False), ("tiny-sdxl", True)):
        with outline_of(parity_models, model, folder) as outline:
            each = module_places(outline)
        found |= {name: place for name, place in each.items() if place.is_text is is_text}
    return found


def meant(places, name):
    module, tensor = split_name(name)
    return places[module], tensor


@pytest.mark.parametrize("down", HALVES)
def test_every_spelling_of_a_module_with_every_spelling_of_a_half_means_it(places, down):
    wanted = {
        **dict.fromkeys(UNET_MODULES, Place(-1, QUERY)),
        **dict.fromkeys(FIRST_TEXT, Place(0, TEXT.removeprefix("text_model."))),
        **dict.fromkeys(SECOND_TEXT, Place(1, TEXT.removeprefix("text_model."))),
    }
    for module, place in wanted.items():
        assert meant(places, f"{module}.{down}") == (place, "lora_down.weight"), module
        assert meant(places, f"{module}.{HALVES[down]}") == (place, "lora_up.weight"), module
        assert meant(places, f"{module}.alpha") == (place, "alpha"), module


@pytest.mark.parametrize("start", ["", "unet.", "base_model.model."])
@pytest.mark.parametrize("processor", ["processor.", ""])
def test_the_first_spelling_of_diffusers_means_the_attention_that_it_stood_in(processor, start):
    block = OUT.removesuffix("to_out.0")
    for which, name in (("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("out", "to_out_0")):
        module = f"unet.{block}{name}".replace(".", "_").replace("unet_", "unet.", 1)
        for half in ("down", "up"):
            found = split_name(f"{start}{block}{processor}to_{which}_lora.{half}.weight")
            assert found == (module, f"lora_{half}.weight")
        assert split_name(f"{start}{block}{processor}to_{which}_lora.alpha") == (module, "alpha")
    text = TEXT_OUT.removesuffix("out_proj")
    found = split_name(f"text_encoder.{text}to_out_lora.up.weight")
    assert found == (f"lora_te1_{TEXT_OUT.replace('.', '_')}", "lora_up.weight")


@pytest.mark.parametrize(
    "ending", ["dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.style.weight"]
)  # fmt: skip
def test_magnitudes_are_known_in_every_spelling(ending):
    assert split_name(f"unet.{QUERY}.{ending}")[1] == "dora_scale"


@pytest.mark.parametrize("model", ["tiny-sd1", "tiny-sd2", "tiny-sdxl"])
def test_every_layer_of_the_unet_has_a_place_by_both_its_names(parity_models, tmp_path, model):
    prefix = "model.diffusion_model."
    stored = load_file(parity_models / f"{model}.safetensors")
    layers = [name.removeprefix(prefix).removesuffix(".weight") for name in stored
              if name.startswith(prefix) and name.endswith(".weight")]  # fmt: skip
    with outline_of(parity_models, model, tmp_path) as outline:
        places = module_places(outline)
        own = {name for name, each in outline.unet.named_modules()
               if isinstance(getattr(each, "weight", None), torch.nn.Parameter)}  # fmt: skip
        by_original = {layer: places[split_name(f"{prefix}{layer}.lora_down.weight")[0]] for layer in layers}
        for layer, place in by_original.items():
            assert places[split_name(f"lora_unet_{layer.replace('.', '_')}.lora_down.weight")[0]] == place
            shape = stored[f"{prefix}{layer}.weight"].shape
            assert outline.unet.get_submodule(place.name).weight.shape.numel() == shape.numel()
        assert {place.name for place in by_original.values()} == own
        for name in own:
            for start in ("", "unet.", "base_model.model."):
                assert places[split_name(f"{start}{name}.lora_A.weight")[0]] == Place(-1, name)
        kohya = {name: split_name(f"lora_unet_{name.replace('.', '_')}.alpha")[0] for name in own}
        # These trainers count with two layers a level, which the small models do not all have.
        outer = [name for name in own if "blocks" not in name and "mid_block" not in name]
        assert all(places[kohya[name]] == Place(-1, name) for name in outer)
