"""Which torch a machine gets."""

import pytest

from modules.launching import Card, LaunchError, Machine, choose_torch
from modules.launching.machine import card_of_device, cards_of_names
from modules.launching.torch_build import PINS

PLAIN = ("pip", "install", *PINS)


def machine(system: str, *cards: Card, architecture: str = "x86_64", is_64_bit: bool = True) -> Machine:
    return Machine(system, architecture, (3, 12), is_64_bit, frozenset(cards))


def from_index(name: str) -> tuple[str, ...]:
    return (*PLAIN, "--index-url", f"https://download.pytorch.org/whl/{name}")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (machine("Linux"), PLAIN),
        (machine("Linux", architecture="aarch64"), PLAIN),
        (machine("Linux", Card.NVIDIA), PLAIN),
        (machine("Linux", Card.AMD), from_index("rocm7.2")),
        (machine("Linux", Card.INTEL), from_index("xpu")),
        (machine("Linux", Card.NVIDIA, Card.AMD, Card.INTEL), PLAIN),
        (machine("Linux", Card.AMD, Card.INTEL), from_index("rocm7.2")),
        (machine("Darwin", architecture="arm64"), PLAIN),
        (machine("Windows"), PLAIN),
        (machine("Windows", Card.NVIDIA), from_index("cu130")),
        (machine("Windows", Card.NVIDIA, Card.INTEL), from_index("cu130")),
        (machine("Windows", Card.INTEL), from_index("xpu")),
        (machine("Windows", Card.AMD), PLAIN),
    ],
)
def test_the_build_follows_from_the_facts(facts, words):
    assert choose_torch(facts, {}).words == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pip install torch==2.9.1", ("pip", "install", "torch==2.9.1")),
        ("python -m pip install torch", ("pip", "install", "torch")),
        ("-m pip install torch", ("pip", "install", "torch")),
        ("pip install 'my wheel.whl'", ("pip", "install", "my wheel.whl")),
    ],
)
def test_a_command_of_the_users_own_comes_before_every_fact(command, words):
    hopeless = machine("Darwin", architecture="x86_64")
    assert choose_torch(hopeless, {"TORCH_COMMAND": command}).words == words


def test_an_empty_command_is_none():
    assert choose_torch(machine("Linux"), {"TORCH_COMMAND": "  "}).words == PLAIN


def test_use_ipex_asks_for_the_build_for_intel_cards():
    assert choose_torch(machine("Linux", Card.NVIDIA), {}, use_ipex=True).words == from_index("xpu")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (machine("Darwin", architecture="x86_64"), "Macs with Intel processors"),
        (machine("Windows", is_64_bit=False), "32-bit"),
    ],
)
def test_where_torch_has_no_build_the_reason_is_said(facts, reason):
    with pytest.raises(LaunchError, match=reason):
        choose_torch(facts, {})


@pytest.mark.parametrize(
    ("vendor", "device", "card"),
    [
        (0x10DE, 0x2684, Card.NVIDIA),
        (0x1002, 0x744C, Card.AMD),
        (0x8086, 0x56A0, Card.INTEL),
        (0x8086, 0xE20B, Card.INTEL),
        (0x8086, 0x7D55, Card.INTEL),
        (0x8086, 0x9BC4, None),
        (0x8086, 0x3E92, None),
        (0x1234, 0x1111, None),
    ],
)
def test_pci_numbers_tell_the_maker_and_old_intel_graphics_do_not_count(vendor, device, card):
    assert card_of_device(vendor, device) is card


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("NVIDIA GeForce RTX 5090", [Card.NVIDIA]),
        ("AMD Radeon RX 7900 XTX", [Card.AMD]),
        ("Intel(R) Arc(TM) A770 Graphics", [Card.INTEL]),
        ("Intel(R) UHD Graphics 630", []),
        ("Microsoft Basic Display Adapter", []),
    ],
)
def test_the_names_that_windows_gives_tell_the_maker(name, cards):
    assert list(cards_of_names([name])) == cards
