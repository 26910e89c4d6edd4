"""The page as data: its elements, the way from the form to a request and back, settings as HTML, saved files."""

import csv
import json
import re
from dataclasses import replace

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient

from modules.errors import InvalidRequest
from modules.infotext import read_infotext, to_request_values
from modules.prompts import StyleBook
from modules.rest import create_api
from modules.settings import describe_options
from modules.web.form import Form, overrides_as_texts, overrides_from_texts
from modules.web.form_requests import request_of_form
from modules.web.generation_panel import OwnParts, generation_panel
from modules.web.hires_fold import hires_fold
from modules.web.menus import read_menus
from modules.web.page import build_page
from modules.web.reading import ParameterReader
from modules.web.routes import page_routes
from modules.web.settings_form import settings_form
from modules.web.texts import infotext_html
from modules.web.toprow import top_row
from modules.web.ui_config import UiConfig

WANTED_IDS = """
quicksettings setting_sd_model_checkpoint refresh_sd_model_checkpoint tabs tab_txt2img tab_pnginfo tab_settings footer
txt2img_toprow txt2img_prompt_container txt2img_prompt txt2img_neg_prompt txt2img_token_counter
txt2img_negative_token_counter txt2img_token_button txt2img_negative_token_button txt2img_actions_column
txt2img_generate_box txt2img_generate txt2img_interrupt txt2img_skip txt2img_tools paste txt2img_clear_prompt
txt2img_style_apply txt2img_styles_row txt2img_styles txt2img_styles_edit_button txt2img_styles_edit_select
txt2img_edit_style_prompt txt2img_edit_style_neg_prompt txt2img_edit_style_save txt2img_extra_tabs txt2img_settings
txt2img_sampling txt2img_scheduler txt2img_steps txt2img_accordions txt2img_hr txt2img_hr-checkbox txt2img_hr_upscaler
txt2img_hires_steps txt2img_denoising_strength txt2img_hr_scale txt2img_hr_resize_x txt2img_hr_resize_y
txt2img_hr_sampler txt2img_hr_scheduler txt2img_hr_checkpoint txt2img_hr_prompt txt2img_hr_neg_prompt txt2img_enable
txt2img_enable-checkbox txt2img_checkpoint txt2img_checkpoint_refresh txt2img_switch_at img2img_enable-checkbox
img2img_checkpoint img2img_checkpoint_refresh img2img_switch_at txt2img_width
txt2img_height txt2img_res_switch_btn txt2img_batch_count txt2img_batch_size txt2img_cfg_scale txt2img_seed
txt2img_random_seed txt2img_reuse_seed txt2img_subseed_show txt2img_subseed txt2img_random_subseed
txt2img_reuse_subseed txt2img_subseed_strength txt2img_seed_resize_from_w txt2img_seed_resize_from_h txt2img_tiling
txt2img_override_settings txt2img_script_container txt2img_results txt2img_gallery_container txt2img_gallery
txt2img_open_folder save_txt2img save_zip_txt2img html_info_txt2img html_log_txt2img generation_info_txt2img
txt2img_restore_progress pnginfo_image settings
tab_modelmerger modelmerger_interp_description modelmerger_primary_model_name refresh_checkpoint_A
modelmerger_secondary_model_name refresh_checkpoint_B modelmerger_tertiary_model_name refresh_checkpoint_C
modelmerger_custom_name modelmerger_interp_amount modelmerger_interp_method modelmerger_checkpoint_format
modelmerger_save_as_half modelmerger_config_method modelmerger_bake_in_vae modelmerger_refresh_bake_in_vae
modelmerger_discard_weights modelmerger_save_metadata modelmerger_add_recipe modelmerger_copy_metadata
modelmerger_merge modelmerger_result
"""


@pytest.fixture(scope="module")
def page(house):
    house.change_settings({"sd_model_checkpoint": "tiny-sd1.safetensors"})
    return build_page(house)


@pytest.fixture
def form(house, page):
    import gradio as gr

    form, menus = Form("txt2img", UiConfig({})), read_menus(house)
    with gr.Blocks():
        top_row(form, menus)
        generation_panel(form, menus, (64, 64), OwnParts(folds=lambda: hires_fold(form, menus)))
    return form


@pytest.fixture(scope="module")
def api(house):
    """The page's own routes, with the ones that they lead to."""
    app = FastAPI()
    create_api(app, house)
    app.include_router(page_routes(house))
    return TestClient(app, raise_server_exceptions=False)


def asked_for(form, values):
    return request_of_form("txt2img", dict(zip(form.controls, values, strict=True)))


def values_of(form, **changed):
    return [changed.get(name, control.value) for name, control in form.controls.items()]


def test_every_element_that_the_field_knows_by_id_is_on_the_page_once(page):
    ids = [block.elem_id for block in page.blocks.values() if block.elem_id]
    assert {name: ids.count(name) for name in re.findall(r"\S+", WANTED_IDS) if ids.count(name) != 1} == {}


def test_no_element_is_taken_out_of_the_page(page):
    absent = [block.elem_id for block in page.blocks.values() if getattr(block, "visible", True) is False]
    assert absent == []


def test_the_untouched_form_is_a_request_with_the_pages_defaults(form):
    request = asked_for(form, values_of(form))
    assert (request.steps, request.width, request.cfg_scale, request.seed) == (20, 64, 7.0, -1)
    assert request.sampler == "DPM++ 2M"
    assert not request.enable_hr
    assert request.denoising_strength is None


@pytest.mark.parametrize(
    ("field", "value"), [("width", 13), ("steps", 0), ("batch_size", 10**6), ("n_iter", None), ("height", -1)]
)
def test_a_value_that_cannot_be_is_refused_with_its_name_and_none_takes_the_default(form, field, value):
    if value is None:
        assert getattr(asked_for(form, values_of(form, **{field: None})), field) == 1
        return
    with pytest.raises(InvalidRequest) as refusal:
        asked_for(form, values_of(form, **{field: value}))
    assert refusal.value.field == field
    assert str(value) in str(refusal.value)


def test_hidden_panels_have_no_say(form):
    hidden = values_of(form, subseed_strength=0.5, hr_prompt="forgotten", hr_scale=3.0)
    request = asked_for(form, hidden)
    assert (request.subseed_strength, request.hr_prompt) == (0.0, "")
    shown = asked_for(
        form, values_of(form, subseed_strength=0.5, variation_shown=True, enable_hr=True, hr_scale=3.0)
    )
    assert (shown.subseed_strength, shown.hr_scale, shown.hr_sampler_name) == (0.5, 3.0, None)


def test_the_refiner_has_a_say_where_it_is_ticked(form):
    chosen = {"refiner_checkpoint": "tiny-sd2.safetensors", "refiner_switch_at": 0.3}
    request = asked_for(form, values_of(form, **chosen))
    assert (request.refiner_checkpoint, request.refiner_switch_at) == (None, None)
    request = asked_for(form, values_of(form, refiner_shown=True, **chosen))
    assert (request.refiner_checkpoint, request.refiner_switch_at) == ("tiny-sd2.safetensors", 0.3)
    with pytest.raises(InvalidRequest, match="no checkpoint is chosen"):
        asked_for(form, values_of(form, refiner_shown=True))


def test_the_checkpoints_of_a_text_are_chosen_in_the_menus(house, form):
    title = house.engine.shelf.find("tiny-sd2").title
    text = "a cat\nSteps: 9, Refiner: tiny-sd2, Refiner switch at: 0.4, Hires checkpoint: tiny-sd2, Hires upscale: 2"
    updates = dict(zip(form.controls, ParameterReader(house, form).read_sent(text), strict=True))
    assert updates["refiner_shown"]["value"] is True
    assert updates["refiner_checkpoint"]["value"] == updates["hr_checkpoint_name"]["value"] == title
    assert updates["refiner_switch_at"]["value"] == 0.4
    plain = dict(zip(form.controls, ParameterReader(house, form).read_sent("a cat\nSteps: 9"), strict=True))
    assert plain["refiner_shown"]["value"] is False


def read_in_form(house, form, text):
    updates = dict(zip(form.controls, ParameterReader(house, form).read_prompt(text), strict=True))
    return {name: update["value"] for name, update in updates.items() if "value" in update}


def test_a_prompt_without_parameters_loses_nothing_by_the_read_button(house, form):
    weights = "(masterpiece:1.2), (best quality:1.3), (a cat:1.1)"
    assert read_in_form(house, form, weights) == {}
    both = f"{weights}\nNegative prompt: (worst quality:2), (low quality:2), (normal quality:2)"
    assert read_in_form(house, form, both) == {
        "prompt": weights,
        "negative_prompt": "(worst quality:2), (low quality:2), (normal quality:2)",
    }


def test_a_text_of_a_hires_picture_gives_the_styles_back_and_the_request(house, form, tmp_path):
    book = StyleBook([tmp_path / "styles.csv"])
    book.save("real", "35mm # mine", "blurry")
    house = replace(house, styles=book)
    text = (
        "a cat, 35mm\nNegative prompt: bad, blurry\nSteps: 9, Seed: 5, Size: 64x64, Denoising strength: 0.4, "
        'Hires prompt: "{}", Hires upscale: 1.5, Hires steps: 3, Hires upscaler: Latent'
    )
    values = read_in_form(house, form, text.format("a dog, 35mm"))
    names = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt", "styles")
    assert [values[name] for name in names] == ["a cat", "bad", "a dog", "", ["real"]]
    # Drawn without the style in the second pass: it cannot be given back as one.
    values = read_in_form(house, form, text.format("a dog"))
    assert [values.get(name) for name in names] == ["a cat, 35mm", "bad, blurry", "a dog", "", None]


def test_a_generation_text_put_into_the_form_makes_the_request_that_it_tells_of(form):
    text = (
        "a cat\nNegative prompt: night\nSteps: 9, Sampler: Euler a, Schedule type: Karras, CFG scale: 3.5, Seed: 5, "
        "Size: 64x128, Variation seed: 6, Variation seed strength: 0.25, Denoising strength: 0.4, "
        "Hires upscale: 1.5, Hires steps: 3, Hires upscaler: Latent, Clip skip: 2"
    )
    updates = dict(zip(form.controls, form.updates(to_request_values(read_infotext(text))), strict=True))
    values = {name: update["value"] for name, update in updates.items() if "value" in update}
    request = asked_for(form, values_of(form, **values))
    assert (request.prompt, request.negative_prompt, request.seed, request.steps) == ("a cat", "night", 5, 9)
    assert (request.sampler, request.scheduler, request.width, request.height) == (
        "Euler a",
        "Karras",
        64,
        128,
    )
    assert (request.subseed, request.subseed_strength) == (6, 0.25)
    assert (request.enable_hr, request.hr_scale, request.hr_second_pass_steps) == (True, 1.5, 3)
    assert request.denoising_strength == 0.4
    assert request.override_settings["CLIP_stop_at_last_layers"] == 2


@pytest.mark.parametrize("settings", [{}, {"a": 1, "b": "x: y", "c": [1, "é"], "d": None, "e": True}])
def test_override_texts_stand_for_the_same_settings(settings):
    assert overrides_from_texts(overrides_as_texts(settings)) == settings


def test_defaults_of_ui_config_replace_the_programs_where_they_are_of_the_same_kind():
    config = UiConfig(
        {"txt2img/Width/value": 640, "txt2img/Width/maximum": 4096, "txt2img/Sampling steps/value": "many"}
    )
    assert config.over("txt2img", "Width", {"value": 512, "maximum": 2048, "step": 8}) == {
        "value": 640,
        "maximum": 4096,
        "step": 8,
    }
    assert config.over("txt2img", "Sampling steps", {"value": 20})["value"] == 20


def test_a_broken_ui_config_is_passed_over(tmp_path):
    (tmp_path / "ui-config.json").write_text("{not json")
    assert UiConfig.read(tmp_path / "ui-config.json").over("txt2img", "Width", {"value": 512}) == {
        "value": 512
    }


def test_every_declared_option_has_a_control_and_a_default_that_can_be_read_back():
    infos = describe_options()
    page = settings_form(infos, lambda info: info.choices)
    shown = re.findall(r'data-key="([^"]+)"', page)
    assert shown == [info.key for info in infos]
    assert page.count("<label for=") == len(infos)


def test_texts_of_a_picture_cannot_bring_markup_into_the_page():
    text = "<img src=x onerror=alert(1)>\nSteps: 1, Sampler: <b>, CFG scale: 1, Seed: 1, Size: 8x8"
    assert "<img" not in infotext_html(text)
    assert "<b>&lt;b&gt;" not in infotext_html(text).replace("<b>Sampler:</b> ", "")


def submit(api, task, form, **changed):
    values = dict(zip(form.controls, values_of(form, **changed), strict=True))
    return api.post("/internal/web/submit", json={"tab": "txt2img", "task": task, "values": values})


def shown(api, task):
    return api.get("/internal/web/shown", params={"task": task}).json()


def made(house, api, task, form, **changed):
    """The finished job of a form that asks for one step."""
    assert submit(api, task, form, steps=1, **changed).json() == {"id": task}
    job = house.queue.get(task)
    assert house.queue.wait(job, 120)
    return job


def test_a_sent_form_becomes_a_job_whose_pictures_are_shown_each_with_its_own_text(house, api, form):
    made(house, api, "task(test)", form, prompt="a cat", seed=3, n_iter=3)
    answer = shown(api, "task(test)")
    assert answer["is_final"]
    assert answer["info"]["gallery_seeds"] == [3, 3, 4, 5]
    assert len(answer["pictures"]) == len(answer["html"]) == 4
    assert ["Seed:</b> 4" in html for html in answer["html"]] == [False, False, True, False]
    assert all("a cat" in html for html in answer["html"])
    assert "3 pictures. Took" in answer["log"]
    for picture in answer["pictures"]:
        assert api.get("/" + picture["url"]).headers["content-type"] == "image/png"
        assert picture["name"].endswith(".png")


def test_the_same_form_sent_again_because_no_answer_came_is_one_job(house, api, form):
    first = made(house, api, "task(twice)", form, seed=8)
    assert submit(api, "task(twice)", form, steps=1, seed=8).json() == {"id": "task(twice)"}
    assert house.queue.get("task(twice)") is first


def test_a_refused_form_gives_the_sentence_and_no_job(house, api, form):
    before = len(house.queue.jobs())
    answer = submit(api, "task(refused)", form, sampler_name="Eulr")
    assert answer.status_code == 422
    assert "Eulr" in answer.json()["detail"]
    assert len(house.queue.jobs()) == before


def test_an_embedding_for_another_model_is_told_of_under_the_picture_and_on_its_card(house, api, form):
    path = house.folders.embeddings[0] / "wide.pt"
    torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, path)
    house.engine.adapters.refresh()
    try:
        made(house, api, "task(wide)", form, prompt="a wide river")
        assert (
            '<p class="note">The embedding wide is read as plain words. Its vectors'
            in shown(api, "task(wide)")["log"]
        )
        who = {"kind": "textual_inversion", "name": "wide"}
        facts = api.get("/easel/v1/networks/card", params=who).json()["facts"]
        assert any(fact["name"] == "Not used" and "768" in fact["value"] for fact in facts)
    finally:
        path.unlink()
        house.engine.adapters.refresh()


def test_the_menus_of_settings_that_name_files_find_new_ones(house, api):
    folder = house.folders.vae[0]
    (folder / "brought.safetensors").write_bytes(b"")
    try:
        assert api.get("/internal/web/setting-choices").json()["sd_hypernetwork"] == ["None", "tiny-hyper"]
        choices = api.get("/internal/web/setting-choices", params={"anew": True}).json()
        assert "brought.safetensors" in choices["sd_vae"]
    finally:
        (folder / "brought.safetensors").unlink()
        house.engine.vae_shelf.refresh()


def test_nothing_is_shown_of_a_job_that_is_forgotten_since_its_end_was_told(api):
    answer = api.get("/internal/web/shown", params={"task": "task(long ago)"})
    assert (answer.status_code, answer.json()) == (200, None)


def test_a_picture_whose_file_was_deleted_leaves_the_gallery(house, api, form):
    job = made(house, api, "task(deleted)", form, n_iter=2, seed=21)
    first = next(picture for picture in job.pictures if picture.seed == 21 and not picture.is_grid)
    first.path.unlink()
    answer = shown(api, "task(deleted)")
    assert answer["info"]["gallery_seeds"] == [21, 22]
    assert len(answer["pictures"]) == len(answer["html"]) == 2
    assert [picture["url"].endswith("/grid?quiet=true") for picture in answer["pictures"]] == [True, False]


def test_save_writes_the_picture_again_with_a_line_in_the_log(house, api, form):
    from modules.web.pictures_menu import PictureActions

    made(house, api, "task(saved)", form, prompt='a, "b"', seed=4)
    info = json.dumps(shown(api, "task(saved)")["info"])
    actions = PictureActions(house)
    names = []
    for _ in range(2):
        files, _ = actions.save(0, info)
        names += files["value"]
    assert len(set(names)) == 2
    folder = house.folders.place(house.store.options.outdir_save)
    with (folder / "log.csv").open(encoding="utf-8", newline="") as log:
        rows = list(csv.DictReader(log))
    assert [row["prompt"] for row in rows[-2:]] == ['a, "b"', 'a, "b"']
    assert not list(folder.glob(".*"))
    archive, _ = actions.save_zip(None, info)
    assert archive["value"][0].endswith(".zip")
