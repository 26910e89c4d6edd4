"""The Script menu: its controls become the request's script and back; what is not chosen has no say."""

import pytest

from modules.errors import InvalidRequest
from modules.web.form import Form
from modules.web.script_menu import script_menu
from modules.web.script_values import script_of_controls
from modules.web.ui_config import UiConfig

MK2 = "Outpainting mk2"


@pytest.fixture(scope="module")
def blocks_and_form():
    import gradio as gr

    form = Form("img2img", UiConfig({}))
    with gr.Blocks() as blocks:
        script_menu(form)
    return blocks, form


@pytest.fixture(scope="module")
def form(blocks_and_form):
    return blocks_and_form[1]


def chosen(form, title, **changed):
    values = {name: control.value for name, control in form.controls.items()}
    return script_of_controls("img2img", {**values, "script_name": title, "steps": 3, **changed})


def test_the_fields_controls_are_on_the_page_under_their_ids(blocks_and_form):
    ids = [block.elem_id for block in blocks_and_form[0].blocks.values()]
    for name in ("pixels", "mask_blur", "direction", "noise_q", "color_variation"):
        assert ids.count(f"script_outpainting_mk2_{name}") == 1
    for name in ("pixels", "mask_blur", "inpainting_fill", "direction"):
        assert ids.count(f"script_poor_mans_outpainting_{name}") == 1
    assert ids.count("img2img_script_list") == 1


def test_without_a_script_no_control_of_one_is_in_the_request(form):
    assert chosen(form, "None") == {"steps": 3}


def test_the_chosen_scripts_controls_are_its_arguments(form):
    field = "script.outpainting_mk2.pixels"
    assert field in form.controls
    directions = ["left", "right", "up", "down"]
    assert chosen(form, MK2, **{field: 64}) == {
        "steps": 3,
        "script_name": MK2,
        "script_args": [None, 64, 8, directions, 1.0, 0.05],
    }


def test_a_script_that_the_tab_does_not_have_is_refused(form):
    with pytest.raises(InvalidRequest, match="no script named 'Loopback mk9'"):
        chosen(form, "Loopback mk9")


def test_a_job_that_is_sent_back_shows_its_script_and_a_generation_text_leaves_it_alone(form):
    def shown(values):
        updates = dict(zip(form.controls, form.updates(values), strict=True))
        return {name: each["value"] for name, each in updates.items() if "value" in each}

    sent = shown({"script_name": MK2, "script_args": (None, 96, 2, ["up"], 0.5, 0.1)})
    assert sent["script_name"] == MK2
    assert sent["script.outpainting_mk2.pixels"] == 96
    assert sent["script.outpainting_mk2.direction"] == ["up"]
    assert shown({"script_name": None, "script_args": ()}) == {"script_name": "None"}
    assert shown({"steps": 3}) == {}
