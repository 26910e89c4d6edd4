"""What is drawn of prompts with styles, comments and tags, and that a picture's own text says it all."""

import numpy as np
import pytest

from modules.generation import parse_txt2img
from modules.infotext import read_infotext, to_request_values
from modules.prompts import StyleBook

from .drawing import TINY, Recorder, pixels

HIRES = {
    "enable_hr": True,
    "hr_scale": 1.5,
    "hr_upscaler": "Latent",
    "denoising_strength": 0.9,
    "hr_second_pass_steps": 1,
}


@pytest.fixture
def book(tmp_path):
    book = StyleBook([tmp_path / "styles.csv"])
    book.save("real", "35mm, depth of field", "blurry")
    book.save("frame", "{prompt}, best quality # mine", "")
    return book


@pytest.fixture
def draw_styled(house, book):
    """As `draw`, with a book of styles; the run and the answer."""

    def draw(values, **settings):
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **settings})
        run = house.engine.plan(parse_txt2img({**TINY, **values}), options, book, save=False)
        watcher = Recorder()
        return run, house.engine.make(run, watcher), watcher

    return draw


def test_a_comment_does_not_swallow_the_styles(house, book):
    request = {"prompt": "a man # goat", "negative_prompt": "bad # x", "styles": ["real", "frame"]}
    run = house.engine.plan(
        parse_txt2img({**TINY, **request, **HIRES, "hr_prompt": "a dog # y", "hr_negative_prompt": "# z"}),
        house.store.options,
        book,
    )
    assert run.prompt == "a man, 35mm, depth of field, best quality"
    assert run.negative_prompt == "bad, blurry"
    assert run.hires.prompt == "a dog, 35mm, depth of field, best quality"
    assert run.hires.negative_prompt == "blurry"
    plain = house.store.options.overridden({"enable_prompt_comments": False})
    run = house.engine.plan(parse_txt2img({**TINY, **request}), plain, book)
    assert run.prompt == "a man # goat, 35mm, depth of field, best quality # mine"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (
            {"hr_prompt": "a dog", "hr_negative_prompt": "cats"},
            {
                "Hires prompt": "a dog, 35mm, depth of field",
                "Hires negative prompt": "cats, blurry",
            },
        ),
        ({"hr_prompt": "a cat", "hr_negative_prompt": ""}, {}),
        ({"hr_prompt": "a dog # not a cat"}, {"Hires prompt": "a dog, 35mm, depth of field"}),
    ],
)
def test_the_text_of_a_hires_picture_draws_it_again(draw_styled, given, written):
    _, made, _ = draw_styled({**HIRES, "prompt": "a cat", "styles": ["real"], **given})
    text = read_infotext(made.infotexts[0])
    assert {key: value for key, value in text.fields.items() if key.endswith(" prompt")} == written
    values = to_request_values(text)
    settings = values.pop("override_settings")
    settings.pop("sd_model_checkpoint")
    _, again, _ = draw_styled(values, **settings)
    assert np.array_equal(pixels(made)[0], pixels(again)[0])
    assert made.infotexts == again.infotexts


def test_the_case_of_a_kind_does_not_matter_nor_do_spaces_around_a_name(draw):
    plain = pixels(draw({"prompt": "a cat <lora:tiny-lora:1>"}))[0]
    for tag in ("<LoRA:tiny-lora:1>", "<Lyco: tiny-lora :1>"):
        assert np.array_equal(pixels(draw({"prompt": f"a cat {tag}"}))[0], plain)


@pytest.mark.parametrize(
    ("tag", "same_as", "note"),
    [
        ("<hypernetwork:tiny-hyper:1>", "", "<hypernetwork:tiny-hyper:1> in the prompt has no effect"),
        ("<embedding:x>", "", "no networks of the kind 'embedding'"),
        ("<lora:tiny-lora:1:lbw=ALL>", "<lora:tiny-lora:1>", "lbw=ALL in <lora:tiny-lora:1:lbw=ALL> is not known"),
        ("<lora:tiny-lora:1:1:2:7>", "<lora:tiny-lora:1:1:2>", "7 in <lora:tiny-lora:1:1:2:7> is not known"),
        ("<HYPERNET:tiny-hyper:1:te=2>", "<hypernet:tiny-hyper:1>", "te=2 in"),
        ("<lora::1>", "", "no LoRA without a name"),
    ],
)  # fmt: skip
def test_what_is_not_understood_of_a_tag_is_told(draw, tag, same_as, note):
    watcher = Recorder()
    made = draw({"prompt": f"a cat {tag}"}, watcher)
    assert np.array_equal(pixels(made)[0], pixels(draw({"prompt": f"a cat {same_as}"}))[0])
    assert [told for told in watcher.notes if note in told]


def test_a_number_behind_a_colon_weighs_nothing_without_and(draw):
    smiling, weighed = draw({"prompt": "a cat face, :3"}), draw({"prompt": "a cat face, AND a cat face, :3"})
    plain = pixels(draw({"prompt": "a cat face,"}))[0]
    strong = pixels(draw({"prompt": "a cat face,", "cfg_scale": 28.0}))[0]
    assert not np.array_equal(pixels(smiling)[0], plain)
    assert np.abs(pixels(weighed)[0] - strong).max() <= 1
