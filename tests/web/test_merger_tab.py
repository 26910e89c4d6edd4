"""The Checkpoint Merger tab, and files that come into the folders of models, as a person meets them."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trials.asking import until

pytestmark = pytest.mark.browser

MODEL = "tiny-sd1.safetensors"
CHECKPOINTS = "setting_sd_model_checkpoint"


@pytest.fixture(scope="module")
def own_models(tmp_path_factory, parity_models) -> Path:
    """A folder of checkpoints: the usual one, `other`, which draws differently, and `old.ckpt`."""
    folder = tmp_path_factory.mktemp("checkpoints")
    (folder / MODEL).symlink_to(parity_models / MODEL)
    tensors = load_file(parity_models / MODEL)
    changed = {name: each * 0.9 if "attn1" in name else each for name, each in tensors.items()}
    save_file(changed, folder / "other.safetensors")
    torch.save({"state_dict": tensors, "global_step": 7}, folder / "old.ckpt")
    for name in ("tiny-sd1", "other", "old"):
        shutil.copy(parity_models / "tiny-sd1.yaml", folder / f"{name}.yaml")
    return folder


@pytest.fixture(scope="module")
def program(make_program, own_models):
    """A program that writes its checkpoints beside these."""
    return make_program(own_models)


@pytest.fixture(scope="module")
def server(program) -> str:
    return program.address


@pytest.fixture
def merger(page):
    """The page with the tab open and the files of the folder in its menus."""
    page.click("#tab_modelmerger-button")
    page.click("#refresh_checkpoint_A")
    page.wait_for_function("mergerFiles.checkpoints.includes('other.safetensors')")
    return page


def open_again(page) -> None:
    page.reload()
    page.wait_for_function("typeof mergerForms !== 'undefined' && 'modelmerger' in mergerForms")
    page.click("#tab_modelmerger-button")


def choose(page, menu: str, text: str) -> None:
    page.click(f"#{menu} input")
    page.locator(f"#{menu} [role=option]", has_text=text).first.click()


def is_offered(page, menu: str, text: str) -> bool:
    """Whether a menu has such an entry by now."""
    page.click(f"#{menu} input")
    found = page.locator(f"#{menu} [role=option]", has_text=text).count()
    page.locator(f"#{menu} input").blur()
    page.wait_for_function("menu => !document.querySelector(`#${menu} [role=option]`)", arg=menu)
    return found > 0


def choose_checkpoint(page, name: str) -> None:
    """Choose it above the tabs, and wait until the program knows."""
    choose(page, CHECKPOINTS, name)
    page.wait_for_function(
        "name => getJson('sdapi/v1/options').then((all) => all.sd_model_checkpoint.startsWith(name))",
        arg=name,
    )


def type_into(page, field: str, text: str) -> None:
    page.locator(
        f"#modelmerger_{field} :is(textarea, input[type=number], input:not([type]), input[type=text])"
    ).fill(text)


def plan(page, said: str) -> str:
    """What the right column says of the dry run, once `said` is among it."""
    page.wait_for_function(
        "said => document.querySelector('#modelmerger_plan').textContent.includes(said)", arg=said
    )
    return page.inner_text("#modelmerger_plan")


def wait_until_written(page, name: str):
    row = page.locator(".merge-row[data-state=done]", has_text=name)
    row.wait_for()
    return row


def drawn_text(page) -> str:
    """The text of a small picture."""
    page.click("#tab_txt2img-button")
    page.click("#txt2img_generation_page-button")
    for field, value in {"steps": 2, "width": 64, "height": 64, "seed": 42}.items():
        page.locator(f"#txt2img_{field} input[type=number]").fill(str(value))
    before = page.evaluate("shownJobs.txt2img?.id ?? null")
    page.click("#txt2img_generate")
    page.wait_for_function(
        "before => shownJobs.txt2img?.is_final && shownJobs.txt2img.id !== before", arg=before
    )
    return page.inner_text("#html_info_txt2img")


def drawn_model(page) -> str:
    """The checkpoint that such a picture is drawn with, as its text says."""
    return re.search(r"Model: ([^,\n]+)", drawn_text(page)).group(1)


def test_two_checkpoints_become_one_that_is_chosen_and_draws(merger):
    choose(merger, "modelmerger_primary_model_name", "tiny-sd1")
    choose(merger, "modelmerger_secondary_model_name", "other")
    type_into(merger, "interp_amount", "0.5")
    type_into(merger, "custom_name", "between")
    said = plan(merger, "between.safetensors")
    assert re.search(r"Size\s+26 MB", said)
    assert re.search(r"\d+ merged", said)
    assert "free" in said
    merger.click("#modelmerger_merge")
    row = wait_until_written(merger, "between.safetensors")
    row.get_by_role("button", name="Use this checkpoint").click()
    merger.wait_for_function(
        "document.querySelector('#setting_sd_model_checkpoint input').value.startsWith('between')"
    )
    assert drawn_model(merger) == "between"
    open_again(merger)
    wait_until_written(merger, "between.safetensors")
    merger.wait_for_function(
        "document.querySelector('#modelmerger_primary_model_name input').value.startsWith('tiny-sd1')"
    )


def test_the_result_is_not_written_over_another_file_and_merges_that_run_are_found_after_a_reload(merger):
    choose(merger, "modelmerger_primary_model_name", "tiny-sd1")
    merger.get_by_label("No interpolation").check()
    type_into(merger, "custom_name", "other")
    assert "other.safetensors" in plan(merger, "other.safetensors")
    merger.click("#modelmerger_merge")
    merger.wait_for_selector("#modelmerger_plan .merger-problem")
    body = {"primary": MODEL, "interp_method": "No interpolation"}
    merger.evaluate(
        """body => Promise.all([1, 2, 3].map((number) =>
            postJson('easel/v1/merges', { ...body, custom_name: `copy-${number}` })))""",
        body,
    )
    open_again(merger)
    for number in (1, 2, 3):
        wait_until_written(merger, f"copy-{number}.safetensors")
    merger.wait_for_function("mergerFiles.checkpoints.includes('copy-3.safetensors')")
    merger.click("#modelmerger_primary_model_name input")
    merger.locator("#modelmerger_primary_model_name [role=option]", has_text="copy-3").wait_for()


def test_a_formula_says_what_is_wrong_with_it_while_it_is_typed(merger):
    choose(merger, "modelmerger_primary_model_name", "tiny-sd1")
    choose(merger, "modelmerger_secondary_model_name", "other")
    merger.get_by_label("Formula").first.check()
    type_into(merger, "custom_name", "mixed")
    type_into(merger, "formula", "A*0.5 + Q*0.5")
    assert "Q" in plan(merger, "Q")
    assert merger.locator("#modelmerger_plan .merger-problem[role=alert]").count() == 1
    merger.get_by_role("button", name="Add a model").click()
    merger.get_by_label("Model D", exact=True).select_option("old.ckpt")
    type_into(merger, "formula", "A*0.5 + (B+D)*m")
    plan(merger, "mixed.safetensors")
    merger.click("#modelmerger_merge")
    wait_until_written(merger, "mixed.safetensors")


def test_weights_of_blocks_and_loras_go_into_the_merge_and_are_there_after_a_reload(merger):
    merger.check("#modelmerger_blocks-checkbox input")
    merger.fill("#modelmerger_block_text", ", ".join(["0.25"] * 26))
    merger.keyboard.press("Tab")
    merger.wait_for_function(
        "document.querySelector('#modelmerger_block_text').value.startsWith('BASE=0.25')"
    )
    merger.fill("#modelmerger_block_text", "IN04=0.5, out03=1")
    merger.keyboard.press("Tab")
    slider = merger.get_by_label("OUT03")
    assert slider.input_value() == "1"
    slider.dblclick()
    order = "mergeOrder({ ...mergerForms.modelmerger, interp_method: 'Weighted sum' })"
    merger.wait_for_function(f"JSON.stringify({order}.block_weights) === '{{\"IN04\":0.5}}'")
    merger.check("#modelmerger_loras-checkbox input")
    merger.get_by_role("button", name="Add a LoRA").click()
    merger.locator("#modelmerger_lora_rows input").first.fill("0.7")
    open_again(merger)
    merger.wait_for_function(
        f"mergerForms.modelmerger && '{{\"IN04\":0.5}}' === JSON.stringify({order}.block_weights)"
    )
    assert merger.evaluate("mergerRows.loras") == [{"name": "", "unet": 0.7, "text": 1}]


def test_a_ckpt_becomes_a_safetensors_file(merger, own_models):
    merger.click("#modelmerger_tab_convert-button")
    choose(merger, "modelmerger_convert_checkpoint", "old.ckpt")
    choose(merger, "modelmerger_convert_save_as", "bfloat16")
    type_into(merger, "convert_custom_name", "new")
    plan(merger, "new.safetensors")
    merger.click("#modelmerger_convert_convert")
    wait_until_written(merger, "new.safetensors")
    written, old = load_file(own_models / "new.safetensors"), load_file(own_models / "copy-1.safetensors")
    name = "model.diffusion_model.input_blocks.0.0.weight"
    assert torch.equal(written[name], old[name].bfloat16())


def test_what_is_brought_into_the_folders_is_found_draws_and_is_merged_into_what_draws_too(
    page, program, own_models, parity_models
):
    assert not is_offered(page, CHECKPOINTS, "brought")
    for suffix in (".safetensors", ".yaml"):
        shutil.copy(own_models / f"other{suffix}", own_models / f"brought{suffix}")
    # Without its metadata, which would call it by another name.
    lora = load_file(parity_models / "Lora" / "tiny-lora.safetensors")
    save_file(lora, program.folder / "models" / "Lora" / "brush.safetensors")

    page.click("#refresh_sd_model_checkpoint")
    until(lambda: is_offered(page, CHECKPOINTS, "brought"), every=0.2)
    choose_checkpoint(page, "brought")
    page.click("#txt2img_lora_page-button")
    page.click("#txt2img_lora_extra_refresh")
    page.click('#txt2img_lora_cards .card[data-label="brush"] .card-use')
    assert page.input_value("#txt2img_prompt textarea") == "<lora:brush:1>"
    text = drawn_text(page)
    assert "Model: brought" in text
    assert "Lora hashes: brush: " in text

    page.click("#tab_modelmerger-button")
    page.click("#refresh_checkpoint_A")
    page.wait_for_function("mergerFiles.checkpoints.includes('brought.safetensors')")
    choose(page, "modelmerger_primary_model_name", "brought")
    choose(page, "modelmerger_secondary_model_name", "tiny-sd1")
    type_into(page, "custom_name", "made of it")
    page.click("#modelmerger_merge")
    wait_until_written(page, "made of it.safetensors")
    until(lambda: is_offered(page, CHECKPOINTS, "made of it"), every=0.2)
    choose_checkpoint(page, "made of it")
    assert drawn_model(page) == "made of it"


def test_nothing_on_the_tab_is_wider_than_a_phone(watched, own_models):
    page = watched(viewport={"width": 390, "height": 800})
    page.click("#tab_modelmerger-button")
    page.check("#modelmerger_blocks-checkbox input")
    page.check("#modelmerger_loras-checkbox input")
    page.get_by_role("button", name="Add a LoRA").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
