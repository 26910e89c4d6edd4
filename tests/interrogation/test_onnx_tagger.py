"""Taggers in ONNX: what goes into them, and what comes out."""

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.interrogation.onnx_tagger import load_onnx_tagger
from modules.settings import Options
from tests.interrogation.onnx_files import write_tagger

pytest.importorskip("onnxruntime")

CSV = "tag_id,name,category,count\n" + "".join(
    f"{n},{name},0,1\n" for n, name in enumerate(("first", "second", "third"))
)
ORANGE = Image.new("RGB", (40, 40), (255, 128, 0))
EVERYTHING = Options().overridden({"interrogate_deepbooru_score_threshold": 0.0})


def tagger(tmp_path, shape, tags, **more):
    path = write_tagger(tmp_path / "model.onnx", shape, **more)
    name = "selected_tags.csv" if "," in tags else "tags.txt"
    path.with_name(name).write_text(tags)
    return load_onnx_tagger(path, on_gpu=False)


TEXT = "first\nsecond\nthird"
HALF = 128 / 255


@pytest.mark.parametrize(
    ("shape", "tags", "metadata", "means"),
    [
        (["N", 16, 16, 3], CSV, {}, (0, 128, 255)),
        (["N", 16, 16, 3], TEXT, {}, (1, HALF, 0)),
        ([1, 3, 16, 16], CSV, {}, (1, HALF, 0)),
        (["N", 3, "H", "W"], TEXT, {}, (1, HALF, 0)),
        ([1, 16, 16, 3], CSV, {"Image.BitmapPixelFormat": "Rgb8"}, (255, 128, 0)),
        ([1, 3, 16, 16], TEXT, {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_1_1"}, (-1, 2 * HALF - 1, 1)),
    ],
)  # fmt: skip
def test_layout_order_and_range_of_the_colours_are_the_models(tmp_path, shape, tags, metadata, means):
    model = tagger(tmp_path, shape, tags, metadata=metadata)
    [answer] = model.session.run(None, {model.input.name: model.input.array(ORANGE)})
    assert answer[0].tolist() == pytest.approx(means, abs=0.01)


def test_a_picture_that_is_not_square_is_seen_whole_on_white(tmp_path):
    model = tagger(tmp_path, ["N", 16, 16, 3], TEXT)
    found = model.tags(Image.new("RGB", (64, 32), "black"))
    assert found["first"] == pytest.approx(0.5, abs=0.02)


def test_a_tagger_in_the_users_folder_answers_with_its_tags(interrogation, folders):
    home = folders.models / "Interrogators" / "wd"
    write_tagger(home / "model.onnx", [1, 16, 16, 3], scores=[0.9, 0.2, 0.8])
    (home / "selected_tags.csv").write_text("name,category\ngeneral,9\nlong_hair,0\nred_dress,0\n")
    said = interrogation.describe(ORANGE, "deepdanbooru", Options())
    assert (said.text, said.model, said.note) == ("red dress", "wd", "")
    nothing = interrogation.describe(
        ORANGE, "wd", Options().overridden({"interrogate_deepbooru_score_threshold": 1})
    )
    assert nothing.text == "" and "score of 1 or more" in nothing.note


@pytest.mark.parametrize(
    ("shape", "scores", "tags", "sentence"),
    [
        ([1, 16, 16, 3], [0.5], TEXT, "answers 1 values, and its list has 3 tags"),
        ([1, 16, 24, 3], [0.5], TEXT, "takes a square picture"),
        ([1, 8, 16, 16], [0.5], TEXT, "takes a square picture"),
    ],
)
def test_a_model_that_is_no_tagger_is_refused_in_a_sentence(
    interrogation, folders, shape, scores, tags, sentence
):
    home = folders.models / "Interrogators"
    write_tagger(home / "x.onnx", shape, scores=scores)
    (home / "x.txt").write_text(tags)
    with pytest.raises(InvalidRequest, match=sentence):
        interrogation.describe(ORANGE, "x", EVERYTHING)


def test_a_file_that_is_no_onnx_is_refused_in_a_sentence(interrogation, folders):
    home = folders.models / "Interrogators"
    home.mkdir(parents=True)
    (home / "x.onnx").write_bytes(b"not a model")
    (home / "x.txt").write_text(TEXT)
    with pytest.raises(InvalidRequest, match="cannot be loaded as an ONNX model"):
        interrogation.describe(ORANGE, "x", EVERYTHING)
