"""Which cards are shown: search, folders, order, pages, hidden folders, other versions."""

import pytest

from modules.extra_networks import ModelVersion, NetworkKind, ShownRules, SortField, Wish, list_cards
from modules.extra_networks.listing import HiddenModels

SDXL = {"ss_base_model_version": "sdxl_base_v1-0"}
SD1 = {"ss_base_model_version": "sd_v1"}


@pytest.fixture
def listed(networks):
    def listed(wish=Wish(), rules=ShownRules(), version=ModelVersion.UNKNOWN):  # noqa: B008
        look = networks.catalogue().look(NetworkKind.LORA)
        found = list_cards(look, wish, rules, version)
        return found, [card.name for card in found.cards]

    return listed


def test_words_of_a_search_all_have_to_be_there_anywhere(networks, listed):
    networks.lora("styles/Ink", {"ss_output_name": "sumi"}, description="Broad strokes")
    networks.lora("styles/oil", description="Broad brushes")
    networks.lora("people/inkwell", activation_text="sks person")
    for search, names in {
        "": ["inkwell", "Ink", "oil"],
        "INK": ["inkwell", "Ink"],
        "broad": ["Ink", "oil"],
        "strokes ink": ["Ink"],
        "sumi": ["Ink"],
        "sks": ["inkwell"],
        "styles/": ["Ink", "oil"],
        "nothing": [],
    }.items():
        assert listed(Wish(search=search))[1] == names, search


def test_a_folder_is_itself_and_what_is_in_it_and_no_folder_of_a_similar_name(networks, listed):
    for name in ("a/x", "a/b/y", "ab/z", "w"):
        networks.lora(name)
    assert listed(Wish(folder="a"))[1] == ["x", "y"]
    assert listed(Wish(folder="a/b"))[1] == ["y"]
    assert listed(Wish(folder="a", search="y"))[1] == ["y"]
    folders = listed()[0].folders
    assert [(folder.path, folder.count) for folder in folders] == [("a", 2), ("a/b", 1), ("ab", 1)]


def test_orders(networks, listed):
    import os

    for time, name in enumerate(("b/a", "a/c", "b")):
        path = networks.lora(name)
        os.utime(path, (1000 + time, 1000 + time))
    assert listed(Wish(sort=SortField.PATH))[1] == ["b", "c", "a"]
    assert listed(Wish(sort=SortField.NAME))[1] == ["a", "b", "c"]
    assert listed(Wish(sort=SortField.MODIFIED))[1] == ["a", "c", "b"]
    assert listed(Wish(sort=SortField.MODIFIED, descending=True))[1] == ["b", "c", "a"]


def test_pages_together_are_all_cards_once(networks, listed):
    for number in range(7):
        networks.lora(f"n{number}")
    pages = [listed(Wish(page=page, page_size=3)) for page in range(4)]
    assert [found.total for found, _ in pages] == [7, 7, 7, 7]
    assert [name for _, names in pages for name in names] == [f"n{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("rule", "search", "folder", "names"),
    [
        (HiddenModels.ALWAYS, "", "", ["seen", "hid"]),
        (HiddenModels.WHEN_SEARCHED, "", "", ["seen"]),
        (HiddenModels.WHEN_SEARCHED, "hid", "", ["hid"]),
        (HiddenModels.WHEN_SEARCHED, "", "sub/.old", ["hid"]),
        (HiddenModels.WHEN_SEARCHED, "", "sub", []),
        (HiddenModels.NEVER, "hid", "", []),
        (HiddenModels.NEVER, "", "sub/.old", []),
    ],
)
def test_files_in_hidden_folders(networks, listed, rule, search, folder, names):
    networks.lora("seen")
    networks.lora("sub/.old/hid")
    assert listed(Wish(search=search, folder=folder), ShownRules(rule))[1] == names


def test_hidden_folders_in_the_tree_are_a_setting(networks, listed):
    networks.lora("sub/.old/hid")
    assert "sub/.old" in {folder.path for folder in listed()[0].folders}
    assert listed(rules=ShownRules(hidden_folders=False))[0].folders == ()


def test_those_for_other_models_are_left_out_and_counted(networks, listed):
    networks.lora("one", SD1)
    networks.lora("large", SDXL)
    networks.lora("unknown")
    found, names = listed(version=ModelVersion.SDXL)
    assert (names, found.other_versions, found.total) == (["large", "unknown"], 1, 2)
    assert listed(Wish(every_version=True), version=ModelVersion.SDXL)[1] == ["large", "one", "unknown"]
    assert listed(rules=ShownRules(every_version=True), version=ModelVersion.SDXL)[0].other_versions == 0
    assert listed(rules=ShownRules(hide_unknown_for=("SDXL",)), version=ModelVersion.SDXL)[1] == ["large"]
    assert listed(rules=ShownRules(hide_unknown_for=("SDXL",)), version=ModelVersion.SD1)[1] == [
        "one",
        "unknown",
    ]
    assert listed(version=ModelVersion.UNKNOWN)[0].total == 3
