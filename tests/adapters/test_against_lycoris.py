"""Every kind of network against the library that trains it: the layer that was trained, and our layer with the
file that the library makes of it, answer the same.
"""

from collections.abc import Callable

import pytest
import torch
from lycoris import modules as lycoris
from torch import Tensor, nn

from modules.adapters.kinds import TENSOR_NAMES, read_part

RANK, ALPHA = 4, 2.0

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(48, 64),
    "square": lambda: nn.Linear(64, 64),
    "convolution": lambda: nn.Conv2d(32, 64, 3, padding=1),
    "small convolution": lambda: nn.Conv2d(32, 64, 1),
}
KINDS = {
    "LoRA": (lycoris.LoConModule, {}),
    "LoCon with a core": (lycoris.LoConModule, {"use_tucker": True}),
    "LoRA, stabilised": (lycoris.LoConModule, {"rs_lora": True}),
    "LoRA, scalar": (lycoris.LoConModule, {"use_scalar": True}),
    "DoRA of rows": (lycoris.LoConModule, {"weight_decompose": True}),
    "DoRA of columns": (lycoris.LoConModule, {"weight_decompose": True, "wd_on_out": False}),
    "LoHa": (lycoris.LohaModule, {}),
    "LoHa with cores": (lycoris.LohaModule, {"use_tucker": True}),
    "LoHa, decomposed": (lycoris.LohaModule, {"weight_decompose": True}),
    "LoKr": (lycoris.LokrModule, {"factor": 4}),
    "LoKr of whole factors": (lycoris.LokrModule, {"factor": 8, "full_matrix": True}),
    "LoKr, both factors low": (lycoris.LokrModule, {"factor": 16, "decompose_both": True}),
    "LoKr with a core": (lycoris.LokrModule, {"factor": 4, "use_tucker": True}),
    "LoKr, decomposed": (lycoris.LokrModule, {"factor": 4, "weight_decompose": True}),
    "IA3": (lycoris.IA3Module, {}),
    "IA3 on the input": (lycoris.IA3Module, {"train_on_input": True}),
    "difference": (lycoris.FullModule, {}),
    "OFT": (lycoris.DiagOFTModule, {}),
    "OFT, rescaled": (lycoris.DiagOFTModule, {"rescaled": True}),
    "OFT, bounded": (lycoris.DiagOFTModule, {"constraint": 1}),
    "BOFT": (lycoris.ButterflyOFTModule, {}),
    "GLoRA": (lycoris.GLoRAModule, {}),
    "GLoRA with a core": (lycoris.GLoRAModule, {"use_tucker": True}),
}


def trained(module: nn.Module, layer: nn.Module, seen: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What the library saves of `module` in front of `layer`, and the layer's answer to `seen` meanwhile."""
    module.apply_to()
    for name, parameter in module.named_parameters():
        change = torch.randn_like(parameter) * 0.2
        parameter.data = parameter.data * 1.2 if "dora" in name else parameter.data + change
    answer = layer(seen)
    saved = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.restore()
    return {name: tensor for name, tensor in saved.items() if not name.startswith("org_module")}, answer


def ours(layer: nn.Module, saved: dict[str, Tensor], seen: Tensor) -> Tensor:
    """The answer of `layer` with the network `saved` in its weights."""
    assert saved.keys() <= set(TENSOR_NAMES)
    part = read_part(saved)
    assert part is not None
    layer.weight.data = layer.weight + part.delta(layer.weight.detach(), None)
    if part.bias is not None:
        layer.bias.data = layer.bias + part.bias
    return layer(seen)


@torch.no_grad()
@pytest.mark.parametrize("where", LAYERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_answers_as_it_was_trained(kind: str, where: str) -> None:
    torch.manual_seed(1)
    make, how = KINDS[kind]
    layer = LAYERS[where]()
    seen = torch.randn(2, 32, 5, 5) if "convolution" in where else torch.randn(7, layer.in_features)
    before = layer(seen)
    saved, expected = trained(make("net", layer, 1.0, RANK, ALPHA, **how).eval(), layer, seen)
    torch.testing.assert_close(layer(seen), before)
    assert not torch.allclose(expected, before, atol=1e-3)
    torch.testing.assert_close(ours(layer, saved, seen), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("norm", [lambda: nn.GroupNorm(8, 32), lambda: nn.LayerNorm((32,))])
def test_a_norm_answers_as_it_was_trained(norm: Callable[[], nn.Module]) -> None:
    torch.manual_seed(2)
    layer = norm()
    seen = torch.randn(3, 32)
    saved, expected = trained(lycoris.NormModule("net", layer, 1.0).eval(), layer, seen)
    assert not torch.allclose(expected, layer(seen), atol=1e-3)
    torch.testing.assert_close(ours(layer, saved, seen), expected)


@torch.no_grad()
def test_glora_of_the_first_trainers_has_its_factors_the_other_way_around() -> None:
    weight = torch.randn(24, 16)
    a1, a2, b1, b2 = torch.randn(4, 16), torch.randn(16, 4), torch.randn(4, 16), torch.randn(24, 4)
    numbers = dict(zip(("a1", "a2", "b1", "b2"), (a1, a2, b1, b2), strict=True))
    part = read_part(
        {**{f"{name}.weight": each for name, each in numbers.items()}, "alpha": torch.tensor(9.0)}
    )
    torch.testing.assert_close(part.delta(weight, None), b2 @ b1 + weight @ a2 @ a1, rtol=1e-4, atol=1e-4)
