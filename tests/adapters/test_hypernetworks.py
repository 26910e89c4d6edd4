"""Hypernetworks in front of keys and values: their layers by hand, one behind the other, and gone again."""

import pytest
import torch
from torch import nn

from modules.adapters import Wardrobe
from modules.adapters.hypernetworks import _Change, read_hypernetwork
from modules.errors import EaselError
from modules.prompts import take_network_tags

WIDTH = 64


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape) + seed)) * 0.2


def linear(state, place, wide, tall):
    state[f"linear.{place}.weight"], state[f"linear.{place}.bias"] = (
        numbers(tall, wide),
        numbers(tall, seed=1),
    )


def norm(state, place, wide):
    state[f"linear.{place}.weight"], state[f"linear.{place}.bias"] = numbers(wide) + 1, numbers(wide, seed=2)


def forms():
    """Name -> (state of one network, facts of the file, the function it is)."""
    plain: dict = {}
    linear(plain, 0, WIDTH, 2 * WIDTH)
    linear(plain, 1, 2 * WIDTH, WIDTH)
    old = {
        key.replace("linear.0", "linear1").replace("linear.1", "linear2"): each for key, each in plain.items()
    }
    dropped: dict = {}
    linear(dropped, 0, WIDTH, 2 * WIDTH)
    norm(dropped, 2, 2 * WIDTH)
    linear(dropped, 4, 2 * WIDTH, WIDTH)
    norm(dropped, 6, WIDTH)

    def by_plain(x, act=lambda y: y, last=lambda y: y):
        first = nn.functional.linear(x, plain["linear.0.weight"], plain["linear.0.bias"])
        return last(nn.functional.linear(act(first), plain["linear.1.weight"], plain["linear.1.bias"]))

    def by_dropped(x):
        y = nn.functional.linear(x, dropped["linear.0.weight"], dropped["linear.0.bias"])
        y = nn.functional.layer_norm(
            torch.tanh(y), (2 * WIDTH,), dropped["linear.2.weight"], dropped["linear.2.bias"]
        )
        y = torch.tanh(nn.functional.linear(y, dropped["linear.4.weight"], dropped["linear.4.bias"]))
        return nn.functional.layer_norm(y, (WIDTH,), dropped["linear.6.weight"], dropped["linear.6.bias"])

    return {
        "plain": (plain, {}, by_plain),
        "first versions": (old, {}, by_plain),
        "activation": (
            {key.replace("linear.1", "linear.2"): each for key, each in plain.items()},
            {"activation_func": "leakyrelu"},
            lambda x: by_plain(x, nn.functional.leaky_relu),
        ),
        "norms, dropout and an activation at the end": (
            dropped,
            {"activation_func": "tanh", "is_layer_norm": True, "activate_output": True, "use_dropout": True},
            by_dropped,
        ),
    }


def save(path, state, facts, width=WIDTH):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({width: [state, state], "step": 3, "name": path.stem, **facts}, path)


@pytest.mark.parametrize("form", forms())
def test_every_form_of_the_field_is_the_function_that_it_describes(tmp_path, form):
    state, facts, function = forms()[form]
    save(tmp_path / "hyper.pt", state, facts)
    keys, values = read_hypernetwork(tmp_path / "hyper.pt").pairs[WIDTH]
    x = numbers(2, 5, WIDTH, seed=9)
    torch.testing.assert_close(keys(x), function(x))
    torch.testing.assert_close(values(x), function(x))


def test_several_stand_behind_one_another_and_leave_nothing_behind(tiny_model, shelves):
    state, _, function = forms()["plain"]
    for name in ("one", "two"):
        save(shelves.hypernetworks._roots[0] / f"{name}.pt", state, {})
    shelves.refresh()
    attention = tiny_model.unet.get_submodule("mid_block.attentions.0.transformer_blocks.0.attn2")
    x = numbers(1, 4, WIDTH)
    before = attention.to_k(x)
    wardrobe = Wardrobe(tiny_model, shelves)
    wardrobe.wear(take_network_tags("<hypernet:one:0.5><hypernet:two>")[1])
    half = x + function(x) * 0.5
    torch.testing.assert_close(
        attention.to_k(x), nn.functional.linear(half + function(half), attention.to_k.weight.float())
    )
    wardrobe.wear([])
    assert torch.equal(attention.to_k(x), before)


def test_what_is_no_hypernetwork_or_for_another_width_is_left_out_with_a_sentence(tiny_model, shelves):
    folder = shelves.hypernetworks._roots[0]
    save(folder / "wide.pt", forms()["plain"][0], {}, width=999)
    torch.save({"weights": numbers(3)}, folder / "other.pt")
    shelves.refresh()
    wardrobe = Wardrobe(tiny_model, shelves)
    worn = wardrobe.wear(take_network_tags("<hypernet:wide><hypernet:other><hypernet:missing>")[1])
    assert worn.hypernetworks == ()
    text = " ".join(worn.notes)
    assert (
        "999" in text
        and "other.pt holds no hypernetwork" in text
        and "no hypernetwork called missing" in text
    )
    with pytest.raises(EaselError, match="damaged"):
        save(folder / "odd.pt", {"linear.0.weight": numbers(4, 4), "linear.x": numbers(4)}, {})
        read_hypernetwork(folder / "odd.pt")


def test_an_input_that_is_wider_than_the_network_keeps_its_type_also_under_autocast():
    network, context = nn.Linear(4, 4).to(torch.bfloat16), numbers(2, 4)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        (changed,) = _Change(network, 0.5)(nn.Identity(), (context,))
        expected = context + 0.5 * network(context.to(torch.bfloat16)).float()
    assert changed.dtype is torch.float32
    assert torch.equal(changed, expected)
