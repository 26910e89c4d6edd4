"""What a picture of a batch is asked for: the form's values, and what its own text, files and size say."""

import base64
import io

import pytest
from PIL import Image

from modules.batches.making import order_of_picture, request_of_picture
from modules.batches.places import places_of
from modules.errors import EaselError
from modules.flags import Flags, parse_flags
from modules.folders import Folders

from .conftest import REQUEST, order_of, picture

TEXT = (
    "a dog\nNegative prompt: a bird\nSteps: 9, Sampler: Euler a, Schedule type: Karras, CFG scale: 3.5, Seed: 42, "
    "Size: 64x64, Model hash: abcdef1234, Denoising strength: 0.9"
)


def with_text(text: str) -> bytes:
    """A picture that carries a generation text."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", text)
    return picture(pnginfo=info)


@pytest.fixture
def asked(tmp_path, plan):
    """A function from what differs in the plan to the request for in/cat.png."""
    folders = Folders.from_flags(parse_flags(["--data-dir", str(tmp_path / "data")], environment={}))

    def asked(**values):
        found = plan(input_folder="in", **values)
        return request_of_picture("cat.png", found, places_of(found, folders, Flags()))

    return asked


def test_the_text_of_a_picture_says_what_is_asked_of_it(asked, folder):
    folder("in", cat=with_text(TEXT))
    request = asked(reads_pictures=True)
    assert (request.prompt, request.negative_prompt) == ("a cat a dog", "a bird")
    assert (request.steps, request.seed, request.cfg_scale) == (9, 42, 3.5)
    assert (request.sampler_name, request.scheduler) == ("Euler a", "Karras")
    assert request.override_settings == {"sd_model_checkpoint": "abcdef1234"}
    assert request.denoising_strength == REQUEST["denoising_strength"], "not one of the properties"


def test_only_the_chosen_properties_are_taken_and_a_prompt_may_replace_the_forms(asked, folder):
    folder("in", cat=with_text(TEXT))
    request = asked(reads_pictures=True, properties=["Prompt", "Steps"], prompt_use="Replace")
    assert (request.prompt, request.steps) == ("a dog", 9)
    assert (request.negative_prompt, request.seed, request.sampler_name) == ("", -1, "Euler")


def test_texts_may_come_from_the_picture_of_the_same_name_elsewhere(asked, folder):
    folder("in", cat=picture())
    folder("texts", cat=with_text(TEXT), dog=with_text("another"))
    assert asked(reads_pictures=True, text_folder="texts").seed == 42
    folder("texts", cat=b"broken")
    assert asked(reads_pictures=True, text_folder="texts").prompt == "a cat"


@pytest.mark.parametrize(("text", "prompt"), [("in the rain\n", "a cat in the rain"), (TEXT, "a cat a dog")])
def test_prompts_may_come_from_text_files(asked, folder, text, prompt):
    (folder("in", cat=picture()) / "cat.txt").write_text(text, encoding="utf-8-sig")
    assert asked(reads_text_files=True).prompt == prompt
    assert asked().prompt == "a cat"


def test_a_caption_is_a_prompt_though_it_is_full_of_weights_and_changes_nothing_else(asked, folder):
    weights = "(masterpiece:1.2), (best quality:1.3), (a dog:1.1)"
    caption = f"{weights}\r\nNegative prompt: (bad:1.5), (worse:2), (worst:3)"
    (folder("in", cat=picture()) / "cat.txt").write_text(caption, encoding="utf-8", newline="")
    request = asked(reads_text_files=True)
    assert (request.prompt, request.negative_prompt) == (
        f"a cat {weights}",
        "(bad:1.5), (worse:2), (worst:3)",
    )
    plain = asked()
    assert (request.sampler, request.scheduler, request.steps) == (
        plain.sampler,
        plain.scheduler,
        plain.steps,
    )


def test_a_text_file_that_is_none_is_named(asked, folder):
    (folder("in", cat=picture()) / "cat.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(EaselError, match=r"cat\.txt cannot be read as text"):
        asked(reads_text_files=True)


@pytest.mark.parametrize(
    ("masks", "chosen"), [(["any"], "any"), (["dog", "cat"], "cat"), (["dog", "bird"], None), ([], None)]
)
def test_a_mask_is_the_only_one_or_has_the_pictures_name(asked, folder, masks, chosen):
    folder("in", cat=picture())
    folder("masks", **{name: name.encode() for name in masks})
    if chosen is None:
        with pytest.raises(EaselError, match="There is no mask named cat"):
            asked(mask_folder="masks")
    else:
        assert base64.b64decode(asked(mask_folder="masks").mask) == chosen.encode()


@pytest.mark.parametrize(
    ("size", "turned", "expected"),
    [((100, 45), 1, (144, 64)), ((100, 45), 6, (64, 144)), ((3, 9), 1, (64, 64))],
)
def test_results_may_be_sized_by_each_picture(asked, folder, size, turned, expected):
    exif = Image.Exif()
    exif[0x0112] = turned
    folder("in", cat=picture(size=size, exif=exif))
    request = asked(scale_by=1.5)
    assert (request.width, request.height) == expected


def test_what_is_taken_from_the_picture_is_the_picture(asked, folder):
    path = folder("in", cat=picture(5)) / "cat.png"
    with Image.open(io.BytesIO(base64.b64decode(asked().init_images[0]))) as image:
        assert image.getpixel((0, 0)) == (5, 120, 30)
    path.unlink()
    with pytest.raises(EaselError, match=r"cat\.png cannot be read"):
        asked()


def test_without_an_output_folder_the_settings_name_the_results(tmp_path, folder, plan):
    folders = Folders.from_flags(parse_flags(["--data-dir", str(tmp_path / "data")], environment={}))
    folder("in", cat=picture())
    usual = plan(input_folder="in", output_folder="")
    order = order_of_picture("cat.png", usual, places_of(usual, folders, Flags()), order_of)
    assert order.save and order.settings["save_to_dirs"] and not order.settings["samples_filename_pattern"]
