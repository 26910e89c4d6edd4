"""Finding models: what is offered, what the two buttons mean, what is said about what cannot be used."""

import dataclasses
import json

import pytest

from modules.errors import EaselError, NotFound
from modules.interrogation.offers import Wanted
from modules.interrogation.shelf import InterrogatorShelf
from modules.interrogation.tag_lists import read_tag_list


@pytest.fixture
def shelf(folders):
    return InterrogatorShelf(folders)


@pytest.fixture
def put(folders):
    """Puts an empty file, or one with a text, below the folder of models."""

    def put(name, text=""):
        path = folders.models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return put


def put_captioner(put, folder, kind="blip", weights="model.safetensors"):
    put(f"{folder}/config.json", json.dumps({"model_type": kind}))
    put(f"{folder}/{weights}")


def names(shelf):
    return [offer.name for offer in shelf.look()[0]]


def test_a_fresh_clone_has_the_small_tagger_for_both_buttons(shelf):
    assert names(shelf) == ["easel-emoji"]
    assert shelf.find("clip")[1] is Wanted.SENTENCE
    assert shelf.find("deepdanbooru")[1] is Wanted.TAGS
    assert shelf.find("EASEL-emoji")[1] is Wanted.TAGS


def test_what_a_user_has_goes_before_what_comes_with_the_program(shelf, put):
    put_captioner(put, "BLIP/blip-large")
    put_captioner(put, "Interrogators/git/base", "git")
    put("Interrogators/wd/model.onnx")
    put("Interrogators/wd/selected_tags.csv")
    put("Interrogators/mine.onnx")
    put("Interrogators/mine.txt")
    put("torch_deepdanbooru/model-resnet_custom_v3.pt")
    assert names(shelf) == ["base", "mine", "wd", "blip-large", "model-resnet_custom_v3", "easel-emoji"]
    assert shelf.find("clip")[0].name == "base"
    assert shelf.find("deepbooru")[0].name == "mine"
    assert shelf.find("blip-large")[1] is Wanted.SENTENCE


def test_without_any_model_the_sentence_says_what_to_put_where(tmp_path, folders):
    empty = InterrogatorShelf(dataclasses.replace(folders, interrogators=folders.interrogators[:3]))
    with pytest.raises(NotFound) as no_sentence:
        empty.find("clip")
    assert "config.json" in str(no_sentence.value) and str(tmp_path / "models/BLIP") in str(no_sentence.value)
    with pytest.raises(NotFound) as no_tags:
        empty.find("deepdanbooru")
    assert "selected_tags.csv" in str(no_tags.value)
    assert str(tmp_path / "models/torch_deepdanbooru") in str(no_tags.value)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"BLIP/model_base_caption_capfilt_large.pth": ""}, "first format"),
        ({"Interrogators/x/model.onnx": ""}, "no list of tags"),
        (
            {"BLIP/f/config.json": '{"model_type": "florence2"}', "BLIP/f/model.safetensors": ""},
            "kind florence2",
        ),
        (
            {"BLIP/b/config.json": '{"model_type": "blip"}', "BLIP/b/pytorch_model.bin": ""},
            "no .safetensors file",
        ),
    ],
)
def test_what_cannot_be_used_is_not_offered_and_its_reason_is_known(shelf, put, files, reason):
    for name, text in files.items():
        put(name, text)
    offers, unusable = shelf.look()
    assert [offer.name for offer in offers] == ["easel-emoji"]
    assert any(reason in each.reason for each in unusable)


def test_a_model_may_lie_in_the_folder_itself(shelf, put):
    put_captioner(put, "BLIP")
    put("BLIP/other.safetensors")
    assert names(shelf) == ["BLIP", "easel-emoji"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model_type": 3}'])
def test_a_folder_whose_configuration_is_no_models_is_passed_over(shelf, put, text):
    put("BLIP/x/config.json", text)
    assert names(shelf) == ["easel-emoji"]


def test_an_unknown_name_is_answered_with_the_names_there_are(shelf):
    with pytest.raises(NotFound, match="Choose one of clip, deepdanbooru, easel-emoji"):
        shelf.find("nothing")


def test_a_csv_of_tags_knows_ratings_and_a_text_has_a_tag_a_line(tmp_path):
    csv = tmp_path / "selected_tags.csv"
    csv.write_text('tag_id,name,category,count\n1,general,9,5\n2,long_hair,0,7\n3,"a,b",4,1\n')
    assert read_tag_list(csv).tags == (None, "long_hair", "a,b")
    text = tmp_path / "tags.txt"
    text.write_text("rating:safe\nlong_hair\n\nhat\n\n")
    assert read_tag_list(text).tags == (None, "long_hair", None, "hat")


def test_a_csv_without_names_is_refused(tmp_path):
    csv = tmp_path / "selected_tags.csv"
    csv.write_text("a,b\n1,2\n")
    with pytest.raises(EaselError, match="no column named name"):
        read_tag_list(csv)
