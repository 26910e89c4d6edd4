"""Cards, as the folders are."""

import json
import os
import time

import pytest
import torch

from modules.errors import InvalidRequest, NotFound
from modules.extra_networks import ModelVersion, NetworkKind
from tests.extra_networks.small_networks import write_network, write_picture

LORA = NetworkKind.LORA


def names(look):
    return [card.name for card in look.cards]


def test_a_card_has_what_the_file_and_those_beside_it_say(networks):
    path = networks.lora(
        "styles/ink",
        {"ss_output_name": "Ink_v2", "ss_v2": "False"},
        description="Broad",
        activation_text="ink",
    )
    write_picture(path.with_suffix(".png"))
    (card,) = networks.catalogue().look(LORA).cards
    assert (card.name, card.folder, card.alias, card.version) == ("ink", "styles", "Ink_v2", ModelVersion.SD1)
    assert (card.description, card.activation_text) == ("Broad", "ink")
    assert card.preview.path == path.with_suffix(".png")
    assert (card.size, card.modified) == (path.stat().st_size, path.stat().st_mtime_ns / 1e9)
    assert card.root == networks.folders.loras[0]


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (("ink.preview.png", "ink.png"), "ink.png"),
        (("ink.jpg", "ink.preview.png"), "ink.preview.png"),
        (("ink.webp", "ink.jpeg"), "ink.jpeg"),
        (("inks.png", "ink2.png"), None),
    ],
)
def test_of_several_previews_the_fields_first_counts(networks, files, shown):
    path = networks.lora("ink")
    for name in files:
        write_picture(path.with_name(name))
    (card,) = networks.catalogue().look(LORA).cards
    assert (card.preview and card.preview.path.name) == shown


def test_a_description_comes_from_the_person_then_the_text_file_then_the_network(networks):
    path = networks.lora("ink", {"modelspec.description": "in the file", "modelspec.trigger_phrase": "sumi"})

    def told():
        card = networks.catalogue().find(LORA, "ink")
        return card.description, card.activation_text

    assert told() == ("in the file", "sumi")
    path.with_suffix(".description.txt").write_text("second")
    assert told() == ("second", "sumi")
    path.with_suffix(".txt").write_text("first")
    assert told() == ("first", "sumi")
    path.with_suffix(".json").write_text('{"activation text": "", "description": ""}')
    assert told() == ("", "")


def test_an_alias_that_means_several_files_is_not_used(networks):
    for name, alias in (("a", "same"), ("b", "same"), ("c", "a"), ("d", "own"), ("e", "None"), ("f", "x>y")):
        networks.lora(name, {"ss_output_name": alias})
    cards = networks.catalogue().look(LORA).cards
    assert {card.name: card.alias for card in cards} == {
        "a": "a", "b": "b", "c": "c", "d": "own", "e": "e", "f": "f",
    }  # fmt: skip


def test_new_changed_and_removed_files_are_seen_at_the_next_look(networks):
    catalogue = networks.catalogue()
    first = networks.lora("a")
    assert names(catalogue.look(LORA)) == ["a"]
    networks.lora("deep/er/b", notes="old")
    assert names(catalogue.look(LORA)) == ["a", "b"]
    card = catalogue.find(LORA, "b")
    assert catalogue.describe(card, {"notes": "new"}).said.sidecar.notes == "new"
    first.unlink()
    assert names(catalogue.look(LORA)) == ["b"]


def test_a_file_written_over_in_its_place_is_seen_when_asked_for_anew(networks):
    catalogue = networks.catalogue()
    path = networks.lora("a", notes="old")
    catalogue.look(LORA)
    path.with_suffix(".json").write_text('{"notes": "other"}')
    assert catalogue.look(LORA, anew=True).cards[0].said.sidecar.notes == "other"


def test_what_files_say_is_kept_over_a_start(networks):
    path = networks.lora("a", {"ss_output_name": "kept"})
    networks.catalogue().look(LORA)
    store = networks.folders.cache / "networks.json"
    deadline = time.monotonic() + 20
    while not store.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    # The same size and time: whoever looked into the file now would learn nothing.
    state = path.stat()
    path.write_bytes(b"x" * state.st_size)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert networks.catalogue().look(LORA).cards[0].alias == "kept"
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert networks.catalogue().look(LORA).cards[0].alias == "a"


@pytest.mark.parametrize("content", ["", "{", '{"form": 1}', '{"form": 1, "files": {"a": 3}}', "[]"])
def test_an_index_that_cannot_be_read_is_made_anew(networks, content):
    networks.lora("a", {"ss_output_name": "alias"})
    (networks.folders.cache / "networks.json").write_text(content)
    assert networks.catalogue().look(LORA).cards[0].alias == "alias"


def test_without_time_files_are_listed_by_name_and_read_meanwhile(networks):
    for number in range(20):
        networks.lora(f"n{number:02}", {"ss_output_name": f"alias {number}"})
    catalogue = networks.catalogue()
    look = catalogue.look(LORA, patience=0)
    assert look.unread == 20
    assert not any(card.is_read for card in look.cards)
    deadline = time.monotonic() + 20
    while look.unread and time.monotonic() < deadline:
        look = catalogue.look(LORA, patience=0)
    assert [card.alias for card in look.cards] == [f"alias {number}" for number in range(20)]


def test_broken_files_have_cards_too(networks):
    for name, content in (("a", b""), ("b", b"\xff" * 40), ("c", b"\x10\0\0\0\0\0\0\0{not json}")):
        path = networks.folders.loras[0] / f"{name}.safetensors"
        path.write_bytes(content)
    look = networks.catalogue().look(LORA)
    assert names(look) == ["a", "b", "c"]
    assert {card.version for card in look.cards} == {ModelVersion.UNKNOWN}


def test_versions_come_from_shapes_and_a_person_has_the_last_word(networks):
    tensors = {"lora_unet_mid_block_attn2_to_k.lora_down.weight": torch.zeros(1, 2048)}
    networks.lora("a", None, tensors)
    networks.lora("b", None, tensors, sd_version="SD1")
    networks.lora("c", None, tensors, sd_version="Unknown")
    versions = [card.version for card in networks.catalogue().look(LORA).cards]
    assert versions == ["SDXL", "SD1", "SDXL"]


def test_embeddings_tell_their_version_and_keep_their_picture(networks):
    folder = networks.folders.embeddings[0]
    write_network(folder / "word.safetensors", None, {"emb_params": torch.zeros(2, 768)})
    write_network(
        folder / "double.safetensors", None, {"clip_l": torch.zeros(1, 768), "clip_g": torch.zeros(1, 1280)}
    )
    write_picture(folder / "drawn.png")
    cards = {card.name: card for card in networks.catalogue().look(NetworkKind.TEXTUAL_INVERSION).cards}
    assert {name: card.version for name, card in cards.items()} == {
        "word": "SD1", "double": "SDXL", "drawn": "Unknown",
    }  # fmt: skip
    assert cards["drawn"].preview.path == folder / "drawn.png"
    assert cards["drawn"].new_preview_path == folder / "drawn.preview.png"


def test_checkpoints_are_told_apart_by_their_folder(networks, parity_models):
    folder = networks.folders.checkpoints[0]
    for place in ("a", "b"):
        (folder / place).mkdir()
        os.link(parity_models / "tiny-sdxl.safetensors", folder / place / "same.safetensors")
    catalogue = networks.catalogue()
    cards = [card for card in catalogue.look(NetworkKind.CHECKPOINTS).cards if card.label == "same"]
    assert [(card.name, card.folder, card.version) for card in cards] == [
        ("a/same.safetensors", "a", "SDXL"),
        ("b/same.safetensors", "b", "SDXL"),
    ]
    assert catalogue.find(NetworkKind.CHECKPOINTS, "b/same.safetensors").root == folder


def test_a_person_can_only_write_what_the_kind_has(networks):
    write_network(networks.folders.embeddings[0] / "word.safetensors")
    catalogue = networks.catalogue()
    card = catalogue.find(NetworkKind.TEXTUAL_INVERSION, "word")
    with pytest.raises(InvalidRequest, match="no activation text"):
        catalogue.describe(card, {"activation_text": "x"})
    catalogue.describe(card, {"notes": "x"})
    assert json.loads(card.path.with_suffix(".json").read_text()) == {"notes": "x"}


def test_a_name_that_is_not_there_is_refused(networks):
    with pytest.raises(NotFound, match='no card called "nobody" under Lora'):
        networks.catalogue().find(LORA, "nobody")


def test_links_in_a_circle_end(networks):
    path = networks.lora("sub/a")
    (path.parent / "again").symlink_to(networks.folders.loras[0], target_is_directory=True)
    assert names(networks.catalogue().look(LORA)) == ["a"]
