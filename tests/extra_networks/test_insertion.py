"""What a card puts into the prompts."""

import pytest

from modules.adapters import AdapterShelves
from modules.adapters.tags import read_tags
from modules.checkpoints import HashCache
from modules.extra_networks import Insertion, NetworkKind, insertion_of
from modules.prompts import (
    drawn_prompt,
    literal_words,
    parse_emphasis,
    schedule_prompt,
    split_and,
    take_network_tags,
)
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
    for name, alias in (
        ("a", "b"),
        ("b", "x"),
        ("c", "a"),
        ("d", "D"),
        ("e", "own"),
        ("E2", "None"),
        ("f", "k=v"),
    ):
        networks.lora(name, {"ss_output_name": alias})
    shelf = AdapterShelves(networks.folders, HashCache(networks.folders.cache / "h.json")).networks
    for card in networks.catalogue().look(NetworkKind.LORA).cards:
        _, (tag,) = take_network_tags(insertion_of(card, Options()).prompt)
        assert shelf.find(tag.name).path == card.path


ODD_NAMES = [
    *("r=eq", "r:colon", "r#hash", "r(paren)", "r[square]", "a|b", "a>b", "a<b", "<lora:x:1>", "back\\slash", "end\\"),
    *("a, b", "cat AND dog", "BREAK it", "AND", "a:1.2", "a=b=c", "#first", "te=2", "a\\:b", "(x:1.2)", "a b  c", "ü-é"),
    *("[a:b:0.5]", "a,", "<cat-toy>", "dot.ted", "'quoted\"", "a # b"),
]  # fmt: skip


@pytest.mark.parametrize("kind", [NetworkKind.LORA, NetworkKind.HYPERNETWORKS])
def test_what_a_card_inserts_is_read_as_its_file_whatever_its_name(networks, inserted, kind):
    """In a prompt that is read as those that are drawn: without comments, then without tags."""
    for name in ODD_NAMES:
        if kind is NetworkKind.LORA:
            networks.lora(name)
        else:
            (networks.folders.hypernetworks[0] / f"{name}.pt").write_bytes(b"")
    shelves = AdapterShelves(networks.folders, HashCache(networks.folders.cache / "h.json"))
    for name in ODD_NAMES:
        tag = inserted(kind, name).prompt
        drawn = drawn_prompt(f"{tag} a cat # dog", [f"{{prompt}}, {tag} 35mm"], has_comments=True)
        text, tags = take_network_tags(drawn)
        wanted = read_tags(tags, shelves.networks, shelves.hypernetworks)
        files = wanted.networks if kind is NetworkKind.LORA else wanted.hypernetworks
        assert [each.file.name for each in files] == [name, name]
        assert (text, wanted.notes) == (" a cat,  35mm", ())


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize(
    "around", ["a cat, {}, night # x", "{}", "({}:1.2)", "[{}:dog:0.5]", "a {} AND b {} :2"]
)
def test_the_words_of_an_embedding_are_read_as_its_name(name, around):
    prompt = drawn_prompt(around.format(literal_words(name), literal_words(name)), [], has_comments=True)
    parts = split_and(take_network_tags(prompt)[0])
    assert len(parts) == around.count("{}")
    for part in parts:
        first = schedule_prompt(part.text, 20)[0].text
        pieces = parse_emphasis(first)
        (piece,) = (piece for piece in pieces if name in piece.text)
        assert piece.weight == (1.2 if ":1.2)" in around else 1.0)
        assert not [piece for piece in pieces if piece.is_break]
