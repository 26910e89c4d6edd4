"""One damaged part of an adapter costs that part, with a note, and never the picture."""

import pytest
import torch

from modules.adapters import add_to_weight
from modules.adapters.fitting import fitting_part
from modules.adapters.kinds import read_part
from modules.conditioning import tokenise
from tests.adapters.test_networks import (
    KOHYA,
    KOHYA_CONV,
    TO_Q,
    bits,
    low_rank,
    numbers,
    put,
    same,
    tags,
    weight_of,
)

GOOD = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_k"
SIDE = 64
NAN = float("nan")


def damaged(side):
    whole = low_rank(KOHYA, side, side)
    conv = {
        f"{KOHYA_CONV}.lora_up.weight": numbers(side, 4, 1, 1),
        f"{KOHYA_CONV}.lora_down.weight": numbers(4, side, 3, 3),
    }
    return {
        "alpha of two numbers": {**whole, f"{KOHYA}.alpha": torch.ones(2)},
        "alpha that is none": {**whole, f"{KOHYA}.alpha": torch.tensor(NAN)},
        "half of a pair": {f"{KOHYA}.lora_up.weight": numbers(side, 4)},
        "other ranks": {**whole, f"{KOHYA}.lora_down.weight": numbers(3, side)},
        "no axes": {f"{KOHYA}.lora_up.weight": torch.tensor(1.0), f"{KOHYA}.lora_down.weight": torch.tensor(1.0)},
        "NaN": {**whole, f"{KOHYA}.lora_up.weight": numbers(side, 4) * NAN},
        "infinity": {**whole, f"{KOHYA}.lora_down.weight": numbers(4, side).fill_(float("inf"))},
        "a bias of another size": {**conv, f"{KOHYA_CONV}.diff_b": numbers(3)},
        "numbers in LoKr's places": {f"{KOHYA}.lokr_w1": torch.tensor(1.0), f"{KOHYA}.lokr_w2": torch.tensor(1.0)},
        "LoKr of another size": {f"{KOHYA}.lokr_w1": numbers(3, 3), f"{KOHYA}.lokr_w2": numbers(5, 5)},
        "LoHa of other ranks": {
            f"{KOHYA}.hada_w1_a": numbers(side, 4), f"{KOHYA}.hada_w1_b": numbers(3, side),
            f"{KOHYA}.hada_w2_a": numbers(side, 4), f"{KOHYA}.hada_w2_b": numbers(4, side),
        },
        "IA3 of another size": {f"{KOHYA}.weight": numbers(5), f"{KOHYA}.on_input": torch.tensor(False)},
        "IA3 on two sides": {f"{KOHYA}.weight": numbers(side), f"{KOHYA}.on_input": torch.ones(2, dtype=torch.bool)},
        "a difference of another shape": {f"{KOHYA}.diff": numbers(5, 7)},
        "OFT of another size": {f"{KOHYA}.oft_blocks": numbers(3, 5, 5)},
        "OFT without axes": {f"{KOHYA}.oft_blocks": torch.tensor(1.0)},
        "GLoRA of other ranks": {
            f"{KOHYA}.a1.weight": numbers(4, 3), f"{KOHYA}.a2.weight": numbers(side, 4),
            f"{KOHYA}.b1.weight": numbers(4, side), f"{KOHYA}.b2.weight": numbers(side, 4),
        },
        "magnitudes of another size": {**whole, f"{KOHYA}.dora_scale": numbers(1, 3)},
        "a mid tensor without axes": {**conv, f"{KOHYA_CONV}.lora_mid.weight": torch.tensor(1.0)},
        "whole numbers": {f"{KOHYA}.diff": torch.ones(2, 3, dtype=torch.int64)},
    }  # fmt: skip


@pytest.mark.parametrize("what", damaged(SIDE))
def test_a_damaged_part_is_left_out_with_a_note_and_the_others_are_used(tiny_model, shelves, wardrobe, what):
    before = bits(tiny_model)
    side = weight_of(tiny_model, TO_Q).shape[0]
    put(
        shelves,
        "net",
        {**low_rank(GOOD, side, side), **damaged(side)[what]},
        {"ss_network_args": '{"dora_wd": "True"}'},
    )
    worn = wardrobe.wear(tags("<lora:net:0.7>"))
    (note,) = worn.notes
    assert note.startswith("LoRA net: 1 of its 2 parts "), note
    changed = [name for name, _ in tiny_model.unet.named_parameters()]
    different = [
        name
        for name, one, other in zip(changed, bits(tiny_model), before, strict=False)
        if not torch.equal(one, other)
    ]
    assert different == [f"{TO_Q.removesuffix('to_q')}to_k.weight"]
    wardrobe.wear([])
    assert same(bits(tiny_model), before)


@pytest.mark.parametrize("kind", ["LoRA", "difference", "LoHa", "LoKr"])
def test_a_network_for_four_channels_leaves_the_others_of_a_first_layer_as_they_are(
    tiny_model, shelves, kind
):
    tensors = {
        "LoRA": {"lora_up.weight": numbers(32, 4, 1, 1), "lora_down.weight": numbers(4, 4, 3, 3)},
        "difference": {"diff": numbers(32, 4, 3, 3)},
        "LoHa": {"hada_w1_a": numbers(32, 4), "hada_w1_b": numbers(4, 36),
                 "hada_w2_a": numbers(32, 4), "hada_w2_b": numbers(4, 36)},
        "LoKr": {"lokr_w1": numbers(8, 2), "lokr_w2": numbers(4, 2, 3, 3)},
    }[kind]  # fmt: skip
    part = read_part(tensors)
    four, nine = torch.nn.Conv2d(4, 32, 3), torch.nn.Conv2d(9, 32, 3)
    assert fitting_part(part, four, is_first=True) is part
    assert fitting_part(part, nine, is_first=False) is None
    widened = fitting_part(part, nine, is_first=True)
    weight = nine.weight.detach().clone()
    add_to_weight(weight, widened, 0.5)
    wanted = nine.weight.detach().clone()
    wanted[:, :4] += 0.5 * part.delta(wanted[:, :4], None)
    assert torch.allclose(weight, wanted, atol=1e-6)
    assert torch.equal(weight[:, 4:], nine.weight.detach()[:, 4:])


def test_embeddings_in_a_network_are_known_while_it_is_on_and_gone_with_it(tiny_model, shelves, wardrobe):
    side, vectors = weight_of(tiny_model, TO_Q).shape[0], numbers(2, 64)
    put(shelves, "net", {**low_rank(KOHYA, side, side), "bundle_emb.zork.string_to_param.*": vectors,
                         "bundle_emb.broken.string_to_param.*": vectors * NAN, "bundle_emb.x": numbers(2),
                         "bundle_emb.y.z": numbers(3)})  # fmt: skip
    (tokens,) = tokenise(tiny_model.towers[0].tokenizer, ["zork"])
    (lookup,) = wardrobe.embeddings.lookups()
    assert lookup.at(tokens, 0) is None
    worn = wardrobe.wear(tags("<lora:net:0.7>"))
    assert worn.changed_text and worn.notes == ()
    insertion, count = lookup.at(tokens, 0)
    assert count == len(tokens) and torch.equal(insertion.vectors, vectors) and not lookup.met.used
    assert wardrobe.wear([]).changed_text and lookup.at(tokens, 0) is None


def test_a_hypernetwork_whose_layers_do_not_fit_is_left_out_with_a_note(tiny_model, shelves, wardrobe):
    folder = shelves.hypernetworks._roots[0]
    width = tiny_model.unet.config.cross_attention_dim
    good = {"linear.0.weight": torch.zeros(width, width), "linear.0.bias": torch.ones(width)}
    for name, layers in {
        "shapes": {"linear.0.weight": torch.zeros(5, 7), "linear.0.bias": torch.zeros(5)},
        "half": {"linear.0.bias": torch.zeros(width)},
        "nan": {**good, "linear.0.bias": torch.full((width,), NAN)},
        "name": {"linear.x.weight": torch.zeros(width, width)},
    }.items():
        torch.save({width: [good, layers]}, folder / f"{name}.pt")
        worn = wardrobe.wear(tags(f"<hypernet:{name}:1>"))
        assert worn.hypernetworks == () and "is damaged" in worn.notes[0], name
    torch.save({width: [good, good], 320: [good, good]}, folder / "some.pt")
    worn = wardrobe.wear(tags("<hypernet:some:1>"))
    assert [file.name for file in worn.hypernetworks] == ["some"] and "320 wide" in worn.notes[0]


def test_what_is_something_else_is_said_to_be_that(tiny_model, shelves, wardrobe):
    put(shelves, "vae", {"decoder.conv_in.weight": torch.zeros(4), "encoder.conv_in.weight": torch.zeros(4)})
    assert "it is a VAE alone" in wardrobe.wear(tags("<lora:vae:1>")).notes[0]
    put(shelves, "word", {"emb_params": torch.zeros(1, 64)})
    assert "it is a textual inversion embedding" in wardrobe.wear(tags("<lora:word:1>")).notes[0]
