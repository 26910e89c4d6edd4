"""Whether the adapters that a prompt names are worn."""

import json

import numpy as np

from .drawing import pixels

PROMPT = "a cat <lora:tiny-lora:0.8> <hypernet:tiny-hyper:1>"


def test_extra_networks_that_a_request_disables_are_not_worn_and_their_tags_stay_in_the_text(draw):
    disabled = {"disable_extra_networks": True}
    without = draw({"prompt": PROMPT, **disabled}, sd_hypernetwork="tiny-hyper")
    assert np.array_equal(pixels(without)[0], pixels(draw({"prompt": "a cat  "}))[0])
    assert not np.array_equal(pixels(without)[0], pixels(draw({"prompt": PROMPT}))[0])
    assert without.pictures[0].infotext.startswith(f"{PROMPT}\n")
    assert "Lora hashes" not in without.pictures[0].infotext


def test_they_are_not_worn_in_the_hires_pass_either(draw):
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.5}
    given = draw({"prompt": PROMPT, **hires, "disable_extra_networks": True})
    assert np.array_equal(pixels(given)[0], pixels(draw({"prompt": "a cat  ", **hires}))[0])


def test_by_setting_the_hires_prompt_is_read_with_the_networks_of_the_first_pass(draw):
    """A network in the text encoder alone then still acts on it, though the second prompt has no tag."""
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.9}
    values = {"prompt": "a cat <lora:tiny-lora:1:0>", "hr_prompt": "a dog", **hires}
    plain, ahead = (pixels(draw(values, hires_fix_use_firstpass_conds=asked))[0] for asked in (False, True))
    assert not np.array_equal(plain, ahead)
    without = {**values, "prompt": "a cat"}
    one, other = (pixels(draw(without, hires_fix_use_firstpass_conds=asked))[0] for asked in (False, True))
    assert np.array_equal(one, other)


def test_the_answer_tells_of_the_networks_and_embeddings_as_the_text_does(draw):
    made = draw({"prompt": "a tiny-emb cat <lora:tiny-locon:0.6>"})
    told = json.loads(made.info_json())["extra_generation_params"]
    assert told["Lora hashes"] == "tiny-locon: 35af018a8e8c"
    assert told["TI hashes"] == "tiny-emb: 6b11a26cfc1a"
    assert f'Lora hashes: "{told["Lora hashes"]}"' in made.pictures[0].infotext


def test_the_answer_says_whether_an_inpainting_checkpoint_drew(draw):
    said = [
        json.loads(draw(sd_model_checkpoint=name).info_json())["is_using_inpainting_conditioning"]
        for name in ("tiny-sd1", "tiny-sd1-inpainting")
    ]
    assert said == [False, True]
