"""What a card puts into the prompts."""

import pytest

from modules.extra_networks import Insertion, NetworkKind, insertion_of
from modules.settings import Options
from tests.extra_networks.small_networks import write_network


@pytest.fixture
def inserted(networks):
    def inserted(kind, name, **settings):
        return insertion_of(networks.catalogue().find(kind, name), Options().overridden(settings))

    return inserted


def test_a_lora_by_alias_with_its_weight_and_its_words(networks, inserted):
    networks.lora(
        "ink",
        {"ss_output_name": "Ink v2"},
        activation_text="ink drawing",
        preferred_weight=0.65,
        negative_text="photo",
    )
    assert inserted(NetworkKind.LORA, "ink") == Insertion("<lora:Ink v2:0.65> ink drawing", "(photo:1)")
    by_name = inserted(NetworkKind.LORA, "ink", lora_preferred_name="Filename")
    assert by_name.prompt == "<lora:ink:0.65> ink drawing"


def test_a_network_of_which_nothing_is_said_has_the_settings_weight(networks, inserted):
    networks.lora("plain")
    (networks.folders.hypernetworks[0] / "old.pt").write_bytes(b"")
    weight = {"extra_networks_default_multiplier": 0.7}
    assert inserted(NetworkKind.LORA, "plain").prompt == "<lora:plain:1>"
    assert inserted(NetworkKind.LORA, "plain", **weight).prompt == "<lora:plain:0.7>"
    assert inserted(NetworkKind.HYPERNETWORKS, "old", **weight) == Insertion("<hypernet:old:0.7>")


def test_an_embedding_is_its_name_in_either_prompt(networks, inserted):
    write_network(networks.folders.embeddings[0] / "bad hands.safetensors")
    assert inserted(NetworkKind.TEXTUAL_INVERSION, "bad hands") == Insertion("bad hands", anywhere=True)


def test_what_a_card_inserts_finds_its_own_file(networks, inserted):
    """Names, aliases and doubles of both: the tag's name leads the engine to the card's file."""
    from modules.adapters import AdapterShelves
    from modules.checkpoints import HashCache
    from modules.prompts import take_network_tags

    for name, alias in (("a", "b"), ("b", "x"), ("c", "a"), ("d", "D"), ("e", "own"), ("E2", "None")):
        networks.lora(name, {"ss_output_name": alias})
    shelf = AdapterShelves(networks.folders, HashCache(networks.folders.cache / "h.json")).networks
    for card in networks.catalogue().look(NetworkKind.LORA).cards:
        _, (tag,) = take_network_tags(insertion_of(card, Options()).prompt)
        assert shelf.find(tag.positional[0]).path == card.path
