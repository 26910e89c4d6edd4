"""Captioning folders of the transformers library."""

import json
import shutil

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.settings import Options
from tests.interrogation.captioners import WORDS, write_blip, write_git

PICTURE = Image.effect_noise((50, 30), 90).convert("RGB")
SHORT = Options().overridden({"interrogate_clip_min_length": 3, "interrogate_clip_max_length": 3})


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    return write_blip(tmp_path_factory.mktemp("models") / "tiny-blip")


@pytest.fixture
def put(folders, blip):
    """Copies the tiny BLIP into the user's folder under a name."""
    return lambda name: shutil.copytree(blip, folders.models / "BLIP" / name)


def test_a_blip_folder_is_what_interrogate_clip_asks(interrogation, put):
    put("tiny-blip")
    said = interrogation.describe(PICTURE, "clip", SHORT)
    assert said.model == "tiny-blip"
    assert said.text and set(said.text.split()) <= set(WORDS)


def test_a_git_folder_is_asked_by_its_name(interrogation, folders):
    write_git(folders.models / "Interrogators" / "tiny-git")
    said = interrogation.describe(PICTURE, "tiny-git", SHORT)
    assert set(said.text.split()) <= set(WORDS)


def test_a_caption_has_the_length_of_the_settings(interrogation, put):
    put("tiny-blip")
    lengths = []
    for length in (2, 9):
        settings = {"interrogate_clip_min_length": length, "interrogate_clip_max_length": length}
        said = interrogation.describe(PICTURE, "clip", Options().overridden(settings))
        lengths.append(len(said.text.split()))
    assert lengths[0] <= 2 < lengths[1] <= 9


def test_a_shortest_length_above_the_longest_is_refused(interrogation, put):
    put("tiny-blip")
    wrong = Options().overridden({"interrogate_clip_min_length": 40, "interrogate_clip_max_length": 30})
    with pytest.raises(
        InvalidRequest, match="40, more than interrogate_clip_max_length, which is 30"
    ) as refused:
        interrogation.describe(PICTURE, "clip", wrong)
    assert refused.value.field == "interrogate_clip_min_length"


def test_a_model_leaves_the_memory_unless_the_setting_keeps_it(interrogation, put):
    put("tiny-blip")
    interrogation.describe(PICTURE, "clip", SHORT)
    assert interrogation.loaded() == []
    interrogation.describe(PICTURE, "clip", SHORT.overridden({"interrogate_keep_models_in_memory": True}))
    assert interrogation.loaded() == ["tiny-blip"]


def test_code_in_a_folder_is_not_run(interrogation, put, tmp_path):
    folder = put("tiny-blip")
    trap = tmp_path / "was run"
    (folder / "trap.py").write_text(f"open({str(trap)!r}, 'w')\nclass Trap: pass\n")
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        config = json.loads((folder / name).read_text())
        auto = {
            "AutoConfig": "trap.Trap",
            "AutoModelForImageTextToText": "trap.Trap",
            "AutoImageProcessor": "trap.Trap",
        }
        config["auto_map"] = {**auto, "AutoTokenizer": ["trap.Trap", "trap.Trap"]}
        (folder / name).write_text(json.dumps(config))
    said = interrogation.describe(PICTURE, "clip", SHORT)
    assert said.model == "tiny-blip"
    assert not trap.exists()


@pytest.mark.parametrize("missing", ["preprocessor_config.json", "tokenizer_config.json"])
def test_a_folder_that_lacks_a_file_is_refused_in_a_sentence(interrogation, put, missing):
    folder = put("tiny-blip")
    for path in folder.glob("vocab.txt" if "token" in missing else missing):
        path.unlink()
    for path in folder.glob("tokenizer*") if "token" in missing else ():
        path.unlink()
    with pytest.raises(InvalidRequest, match="cannot be loaded") as refused:
        interrogation.describe(PICTURE, "clip", SHORT)
    assert str(folder) in str(refused.value)


def test_damaged_weights_are_refused_in_a_sentence(interrogation, put):
    folder = put("tiny-blip")
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not a header....")
    with pytest.raises(InvalidRequest, match="cannot be loaded"):
        interrogation.describe(PICTURE, "clip", SHORT)
