"""Networks in a model's weights: each kind by its formula, put in and taken out again exactly."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.adapters import Magnitudes, Wardrobe
from modules.prompts import take_network_tags

TO_Q = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
KOHYA = "lora_unet_" + TO_Q.replace(".", "_")
CONV = "mid_block.resnets.0.conv1"
KOHYA_CONV = "lora_unet_mid_block_resnets_0_conv1"
NORM = "mid_block.resnets.0.norm1"
RANK, STRENGTH = 4, 0.7


def numbers(*shape):
    generator = torch.Generator().manual_seed(sum(shape) + 13 * len(shape))
    return torch.randn(shape, generator=generator) * 0.2


def put(shelves, name, tensors, metadata=None):
    folder = shelves.networks._roots[0]
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: tensor.contiguous() for key, tensor in tensors.items()},
        folder / f"{name}.safetensors",
        metadata,
    )
    shelves.refresh()


def tags(prompt):
    return take_network_tags(prompt)[1]


def bits(model):
    parts = [model.unet, *(tower.encoder for tower in model.towers)]
    return [parameter.detach().clone() for part in parts for parameter in part.parameters()]


def same(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def weight_of(model, name):
    return model.unet.get_submodule(name).weight.detach().clone().float()


def low_rank(name, wide, tall):
    up, down = numbers(tall, RANK), numbers(RANK, wide)
    return {
        f"{name}.lora_up.weight": up,
        f"{name}.lora_down.weight": down,
        f"{name}.alpha": torch.tensor(2.0),
    }


def change(tensors, kind, weight):
    """What the network of `kind` adds to `weight` at full strength, written out."""
    t = {key.removeprefix(f"{KOHYA}."): tensor for key, tensor in tensors.items()}
    if kind == "LoRA":
        return t["lora_up.weight"] @ t["lora_down.weight"] * (2 / RANK)
    if kind == "LoHa":
        return (t["hada_w1_a"] @ t["hada_w1_b"]) * (t["hada_w2_a"] @ t["hada_w2_b"]) * (2 / RANK)
    if kind == "LoKr":
        return torch.kron(t["lokr_w1"], t["lokr_w2_a"] @ t["lokr_w2_b"]) * (2 / RANK)
    if kind == "IA3":
        return torch.diag(t["weight"]) @ weight
    if kind == "difference":
        return t["diff"]
    if kind == "GLoRA":
        return t["b2.weight"] @ t["b1.weight"] + weight @ t["a2.weight"] @ t["a1.weight"]
    skew = t["oft_blocks"] - t["oft_blocks"].transpose(1, 2)
    one = torch.eye(skew.shape[1])
    turns = torch.block_diag(*[((one + block) @ torch.linalg.inv(one - block)).T for block in skew])
    return turns @ weight - weight


def tensors_of(kind, side):
    made = {
        "LoRA": lambda: low_rank(KOHYA, side, side),
        "LoHa": lambda: {
            f"{KOHYA}.hada_w1_a": numbers(side, RANK), f"{KOHYA}.hada_w1_b": numbers(RANK, side),
            f"{KOHYA}.hada_w2_a": numbers(side, RANK) + 1, f"{KOHYA}.hada_w2_b": numbers(RANK, side) + 1,
            f"{KOHYA}.alpha": torch.tensor(2.0),
        },
        "LoKr": lambda: {
            f"{KOHYA}.lokr_w1": numbers(8, 8), f"{KOHYA}.lokr_w2_a": numbers(side // 8, RANK),
            f"{KOHYA}.lokr_w2_b": numbers(RANK, side // 8), f"{KOHYA}.alpha": torch.tensor(2.0),
        },
        "IA3": lambda: {f"{KOHYA}.weight": numbers(side), f"{KOHYA}.on_input": torch.tensor(False)},
        "difference": lambda: {f"{KOHYA}.diff": numbers(side, side)},
        "GLoRA": lambda: {
            f"{KOHYA}.a1.weight": numbers(RANK, side), f"{KOHYA}.a2.weight": numbers(side, RANK),
            f"{KOHYA}.b1.weight": numbers(RANK, side), f"{KOHYA}.b2.weight": numbers(side, RANK),
        },
        "OFT": lambda: {f"{KOHYA}.oft_blocks": numbers(8, side // 8, side // 8)},
    }  # fmt: skip
    return made[kind]()


@pytest.mark.parametrize("kind", ["LoRA", "LoHa", "LoKr", "IA3", "difference", "GLoRA", "OFT"])
def test_a_network_changes_a_weight_by_its_formula_and_comes_off_exactly(tiny_model, shelves, wardrobe, kind):
    before = bits(tiny_model)
    weight = weight_of(tiny_model, TO_Q)
    tensors = tensors_of(kind, weight.shape[0])
    put(shelves, "net", tensors)
    assert wardrobe.wear(tags(f"<lora:net:{STRENGTH}>")).notes == ()
    expected = weight + change(tensors, kind, weight) * STRENGTH
    torch.testing.assert_close(weight_of(tiny_model, TO_Q), expected, rtol=1e-4, atol=1e-5)
    assert not same(before, bits(tiny_model))
    wardrobe.wear([])
    assert same(before, bits(tiny_model))


def test_convolutions_change_too_and_a_core_joins_their_ranks(tiny_model, shelves, wardrobe):
    weight = weight_of(tiny_model, CONV)
    out, into = weight.shape[:2]
    up, down, core = numbers(out, RANK, 1, 1), numbers(RANK, into, 1, 1), numbers(RANK, RANK, 3, 3)
    names = ("lora_up.weight", "lora_down.weight", "lora_mid.weight")
    put(
        shelves,
        "net",
        {f"{KOHYA_CONV}.{name}": each for name, each in zip(names, (up, down, core), strict=True)},
    )
    wardrobe.wear(tags("<lora:net:1>"))
    # A convolution by the three after one another is one by their product.
    picture = numbers(1, into, 8, 8)
    conv = torch.nn.functional.conv2d
    expected = conv(picture, weight, padding=1) + conv(conv(conv(picture, down), core, padding=1), up)
    torch.testing.assert_close(
        conv(picture, weight_of(tiny_model, CONV), padding=1), expected, rtol=1e-3, atol=1e-3
    )


def test_norms_and_their_biases_change(tiny_model, shelves, wardrobe):
    norm = tiny_model.unet.get_submodule(NORM)
    weight, bias = norm.weight.detach().clone(), norm.bias.detach().clone()
    name = "lora_unet_mid_block_resnets_0_norm1"
    put(shelves, "net", {f"{name}.w_norm": numbers(len(weight)), f"{name}.b_norm": numbers(len(bias)) + 1})
    wardrobe.wear(tags("<lora:net:0.5>"))
    torch.testing.assert_close(norm.weight, weight + numbers(len(weight)) * 0.5)
    torch.testing.assert_close(norm.bias, bias + (numbers(len(bias)) + 1) * 0.5)
    wardrobe.wear([])
    assert torch.equal(norm.weight, weight) and torch.equal(norm.bias, bias)


@pytest.mark.parametrize(
    "spelling",
    [
        f"unet.{TO_Q}.lora_A.weight unet.{TO_Q}.lora_B.weight",
        f"base_model.model.unet.{TO_Q}.lora_A.default.weight base_model.model.unet.{TO_Q}.lora_B.default.weight",
        f"unet.{TO_Q}.lora.down.weight unet.{TO_Q}.lora.up.weight",
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight "
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.up.weight",
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_down.weight "
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_up.weight",
    ],
)
def test_all_ways_of_writing_a_module_mean_it(tiny_model, shelves, wardrobe, spelling):
    weight = weight_of(tiny_model, TO_Q)
    up, down = numbers(weight.shape[0], RANK), numbers(RANK, weight.shape[1])
    down_name, up_name = spelling.split()
    put(shelves, "net", {down_name: down, up_name: up})
    wardrobe.wear(tags("<lora:net:1>"))
    torch.testing.assert_close(weight_of(tiny_model, TO_Q), weight + up @ down)


def test_text_and_unet_have_strengths_of_their_own_and_ranks_can_be_cut(tiny_model, shelves, wardrobe):
    encoder = tiny_model.towers[0].encoder
    layer = encoder.get_submodule("encoder.layers.0.mlp.fc1")
    text, weight = layer.weight.detach().clone(), weight_of(tiny_model, TO_Q)
    text_name = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    tensors = low_rank(KOHYA, *weight.shape[::-1]) | low_rank(text_name, *text.shape[::-1])
    put(shelves, "net", tensors)
    wardrobe.wear(tags("<lora:net:te=0:unet=1:dyn=2>"))
    assert torch.equal(layer.weight, text)
    up, down = tensors[f"{KOHYA}.lora_up.weight"][:, :2], tensors[f"{KOHYA}.lora_down.weight"][:2]
    torch.testing.assert_close(weight_of(tiny_model, TO_Q), weight + up @ down * 0.5)
    assert wardrobe.wear(tags("<lora:net:1:0>")).changed_text
    assert torch.equal(weight_of(tiny_model, TO_Q), weight)
    assert not torch.equal(layer.weight, text)


def test_the_same_networks_again_change_nothing_and_others_start_from_the_original(
    tiny_model, shelves, wardrobe
):
    weight = weight_of(tiny_model, TO_Q)
    side = weight.shape[0]
    put(shelves, "one", low_rank(KOHYA, side, side))
    put(shelves, "two", tensors_of("difference", side))
    wardrobe.wear(tags("<lora:one:1><lora:two:1>"))
    place = tiny_model.unet.get_submodule(TO_Q).weight.data_ptr()
    wardrobe.wear(tags("<lora:one:1><lora:two:1>"))
    assert tiny_model.unet.get_submodule(TO_Q).weight.data_ptr() == place
    wardrobe.wear(tags("<lora:two:0.5>"))
    torch.testing.assert_close(weight_of(tiny_model, TO_Q), weight + numbers(side, side) * 0.5)


def test_magnitudes_set_the_length_of_columns_where_the_file_says_it_is_a_dora(tiny_model, shelves, wardrobe):
    weight = weight_of(tiny_model, TO_Q)
    side = weight.shape[0]
    lengths = numbers(1, side).abs() + 1
    tensors = low_rank(KOHYA, side, side) | {f"{KOHYA}.dora_scale": lengths}
    plain = weight + change(low_rank(KOHYA, side, side), "LoRA", weight)
    put(shelves, "says", tensors, {"ss_network_args": '{"dora_wd": "True", "algo": "lora"}'})
    put(shelves, "silent", tensors)
    assert wardrobe.wear(tags("<lora:says:1>")).notes == ()
    torch.testing.assert_close(weight_of(tiny_model, TO_Q).norm(dim=0), lengths[0], rtol=1e-4, atol=1e-4)
    (note,) = wardrobe.wear(tags("<lora:silent:1>")).notes
    assert "silent" in note and "DoRA" in note
    torch.testing.assert_close(weight_of(tiny_model, TO_Q), plain)
    assert wardrobe.wear(tags("<lora:silent:1>"), Magnitudes.ALWAYS).notes == ()
    torch.testing.assert_close(weight_of(tiny_model, TO_Q).norm(dim=0), lengths[0], rtol=1e-4, atol=1e-4)


def broken_file(shelves, kind):
    folder = shelves.networks._roots[0]
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "another family":
        wide = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
        save_file(low_rank(wide, 2048, 640), folder / "net.safetensors")
    elif kind == "no network":
        save_file({"something": numbers(3, 3)}, folder / "net.safetensors")
    elif kind == "damaged":
        (folder / "net.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{not json at all")
    shelves.refresh()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("another family", "made for Stable Diffusion XL"),
        ("no network", "holds no LoRA"),
        ("damaged", "net.safetensors"),
        ("missing", "There is no LoRA called net"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_a_sentence(tiny_model, shelves, wardrobe, kind, says):
    before = bits(tiny_model)
    broken_file(shelves, kind)
    worn = wardrobe.wear(tags("<lora:net:1>"))
    assert worn.networks == ()
    assert len(worn.notes) == 1 and says in worn.notes[0]
    assert same(before, bits(tiny_model))


def test_parts_that_fit_nothing_are_named_and_the_others_used(tiny_model, shelves, wardrobe):
    side = weight_of(tiny_model, TO_Q).shape[0]
    odd = low_rank("lora_unet_middle_block_7_nowhere", 8, 8) | low_rank(
        f"{KOHYA.replace('to_q', 'to_k')}", 24, 24
    )
    put(shelves, "net", low_rank(KOHYA, side, side) | odd)
    worn = wardrobe.wear(tags("<lora:net:1>"))
    assert [file.name for file in worn.networks] == ["net"]
    assert "2 of its 3 parts" in worn.notes[0] and "middle_block_7_nowhere" in worn.notes[0]


def test_files_are_found_by_name_alias_and_in_folders_below(shelves):
    folder = shelves.networks._roots[0]
    (folder / "people").mkdir(parents=True)
    save_file(low_rank(KOHYA, 8, 8), folder / "people" / "File.safetensors", {"ss_output_name": "Alias"})
    for name in ("File", "Alias", "file"):
        found = shelves.networks.find(name)
        assert found is not None and (found.name, found.folder) == ("File", "people")
    assert shelves.networks.find("other") is None


def test_half_precision_weights_come_back_exactly(wide_model, shelves):
    from copy import deepcopy
    from dataclasses import replace

    # As on a card: they compute in half precision, too.
    half = replace(wide_model, unet=deepcopy(wide_model.unet).half())
    before = [parameter.detach().clone() for parameter in half.unet.parameters()]
    side = weight_of(half, TO_Q).shape[0]
    put(shelves, "net", low_rank(KOHYA, side, side))
    wardrobe = Wardrobe(half, shelves)
    wardrobe.wear(tags("<lora:net:0.3>"))
    assert half.unet.get_submodule(TO_Q).weight.dtype is torch.float16
    wardrobe.wear([])
    assert same(before, list(half.unet.parameters()))


def two_networks(model, shelves):
    side = weight_of(model, TO_Q).shape[0]
    out = KOHYA.replace("to_q", "to_out_0")
    shift = {f"{out}.diff_b": numbers(side)}
    put(shelves, "first", low_rank(KOHYA, side, side) | low_rank(out, side, side) | shift)
    put(shelves, "second", low_rank(KOHYA, side, side) | low_rank(out, side, side))


def original_of(wardrobe, module):
    return next(each for name, each in wardrobe._networks._originals.items() if name.name == module)


def test_weights_that_are_kept_as_in_the_file_are_their_own_originals(tiny_model, shelves, wardrobe):
    two_networks(tiny_model, shelves)
    module = tiny_model.unet.get_submodule(TO_Q)
    before, own = bits(tiny_model), module.weight.data_ptr()
    assert module.weight.dtype is torch.float16
    wardrobe.wear(tags("<lora:second:0.4>"))
    alone, place = bits(tiny_model), module.weight.data_ptr()
    assert module.weight.dtype is torch.float32
    assert original_of(wardrobe, TO_Q).weight.data_ptr() == own
    wardrobe.wear(tags("<lora:first:1><lora:second:0.9>"))
    assert module.weight.data_ptr() == place
    assert not same(alone, bits(tiny_model))
    wardrobe.wear(tags("<lora:second:0.4>"))
    assert same(alone, bits(tiny_model))
    wardrobe.wear([])
    assert module.weight.data_ptr() == own
    assert same(before, bits(tiny_model))


def test_a_network_changes_weights_that_are_kept_narrow_as_it_does_wide_ones(tiny_model, wide_model, shelves):
    two_networks(tiny_model, shelves)
    narrow, wide = Wardrobe(tiny_model, shelves), Wardrobe(wide_model, shelves)
    for each in (narrow, wide):
        each.wear(tags("<lora:first:1><lora:second:0.9>"))
    assert tiny_model.unet.get_submodule(TO_Q).weight.dtype is torch.float32
    both = zip(bits(tiny_model), bits(wide_model), strict=True)
    assert all(torch.equal(some.float(), others) for some, others in both)
    for each in (narrow, wide):
        each.wear([])


def test_wide_weights_of_half_precision_stay_in_their_memory_and_the_originals_take_half_of_it(
    wide_model, shelves
):
    two_networks(wide_model, shelves)
    wardrobe = Wardrobe(wide_model, shelves)
    module = wide_model.unet.get_submodule(TO_Q)
    before, place = bits(wide_model), module.weight.data_ptr()
    wardrobe.wear(tags("<lora:second:0.4>"))
    alone = bits(wide_model)
    assert module.weight.data_ptr() == place
    assert original_of(wardrobe, TO_Q).weight.nbytes * 2 == module.weight.nbytes
    wardrobe.wear(tags("<lora:first:1><lora:second:0.9>"))
    assert not same(alone, bits(wide_model))
    wardrobe.wear(tags("<lora:second:0.4>"))
    assert same(alone, bits(wide_model))
    wardrobe.wear([])
    assert same(before, bits(wide_model))


def test_weights_that_half_precision_cannot_hold_come_back_exactly_too(wide_model, shelves):
    wardrobe = Wardrobe(wide_model, shelves)
    module = wide_model.unet.get_submodule(TO_Q)
    own = module.weight.data
    module.weight.data = own + 2**-20
    before = bits(wide_model)
    put(shelves, "net", low_rank(KOHYA, own.shape[0], own.shape[0]))
    wardrobe.wear(tags("<lora:net:0.4>"))
    assert not same(before, bits(wide_model))
    wardrobe.wear([])
    assert same(before, bits(wide_model))
    module.weight.data = own


def test_the_recorded_files_come_off_exactly(tiny_model, shelves, parity_models):
    folder = shelves.networks._roots[0]
    folder.mkdir(parents=True, exist_ok=True)
    for path in (parity_models / "Lora").glob("*.safetensors"):
        shutil.copy(path, folder)
    assert load_file(next(folder.iterdir()))
    shelves.refresh()
    before, wardrobe = bits(tiny_model), Wardrobe(tiny_model, shelves)
    for file in shelves.networks.list():
        wardrobe.wear(tags(f"<lora:{file.name}:0.9>"))
        assert not same(before, bits(tiny_model)), file.name
    wardrobe.wear(tags("".join(f"<lora:{file.name}:0.5>" for file in shelves.networks.list())))
    wardrobe.wear([])
    assert same(before, bits(tiny_model))
