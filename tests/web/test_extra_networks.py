"""Cards of extra networks as a person uses them, in a headless Chromium against the real server."""

import json

import pytest
from PIL import Image

from modules.prompts import literal_words, network_tag
from tests.extra_networks.small_networks import write_network, write_picture

pytestmark = pytest.mark.browser

SD1, SDXL = {"ss_base_model_version": "sd_v1"}, {"ss_base_model_version": "sdxl_base_v1-0"}
TAGS = {"ss_tag_frequency": json.dumps({"10_ink": {"ink": 9, "red hat": 4}})}


@pytest.fixture(scope="module")
def loras(user_folder):
    """A few LoRAs and an embedding in the folders of the program that runs."""
    folder = user_folder / "models" / "Lora"
    ink = write_network(folder / "styles" / "ink.safetensors", SD1 | TAGS)
    keys = {"activation text": "sumi", "preferred weight": 0.5, "negative text": "photo", "foreign": 1}
    ink.with_suffix(".json").write_text(json.dumps(keys))
    write_picture(ink.with_suffix(".png"))
    write_network(folder / "styles" / "oil.safetensors", SD1)
    write_network(folder / "people" / "anna.safetensors", SD1)
    write_network(folder / "large.safetensors", SDXL)
    write_network(user_folder / "embeddings" / "bad-hands.safetensors")
    return folder


AS_AT_FIRST = """for (const pane of networkPanes.values()) {
    Object.assign(pane, { folder: "", everyVersion: false });
    pane.part("search").value = "";
    pane.takeDefaults();
    pane.load({ anew: true });
}"""


@pytest.fixture
def cards(kept_page, loras):
    """The page with the Lora tab of txt2img open, and all cards in it."""
    kept_page.evaluate(AS_AT_FIRST)
    kept_page.click("#txt2img_generation_page-button")
    type_prompts(kept_page, "")
    open_tab(kept_page, "lora")
    wait_for_names(kept_page, "anna", "ink", "oil")
    return kept_page


def open_tab(page, kind: str) -> None:
    page.click(f"#txt2img_{kind}_page-button")
    page.wait_for_selector(f"#txt2img_{kind}_cards :is(.card, .network-empty)")


def names(page) -> list[str]:
    return page.locator("#txt2img_lora_cards .card .name").all_text_contents()


def wait_for_names(page, *expected: str) -> None:
    page.wait_for_function(
        "names => JSON.stringify(Array.from(document.querySelectorAll('#txt2img_lora_cards .name'),"
        " (each) => each.textContent)) === names",
        arg=json.dumps(expected, separators=(",", ":")),
    )


def card(page, name: str, kind: str = "lora"):
    return page.locator(f'#txt2img_{kind}_cards .card[data-label="{name}"]')


def prompts(page) -> tuple[str, str]:
    return page.input_value("#txt2img_prompt textarea"), page.input_value("#txt2img_neg_prompt textarea")


def type_prompts(page, prompt: str, negative: str = "") -> None:
    page.fill("#txt2img_neg_prompt textarea", negative)
    page.fill("#txt2img_prompt textarea", prompt)


def test_cards_are_there_and_those_for_other_models_when_asked(cards):
    wait_for_names(cards, "anna", "ink", "oil")
    assert (
        card(cards, "ink").locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    )
    cards.click("#txt2img_lora_pane .network-versions")
    wait_for_names(cards, "large", "anna", "ink", "oil")


def test_search_order_and_folders(cards):
    cards.fill("#txt2img_lora_extra_search", "SUMI")
    wait_for_names(cards, "ink")
    cards.fill("#txt2img_lora_extra_search", "no such")
    cards.wait_for_selector("#txt2img_lora_cards .network-empty")
    cards.fill("#txt2img_lora_extra_search", "")
    wait_for_names(cards, "anna", "ink", "oil")
    cards.select_option("#txt2img_lora_extra_sort", "name")
    cards.click("#txt2img_lora_extra_sort_dir")
    wait_for_names(cards, "oil", "ink", "anna")
    cards.click("#txt2img_lora_extra_tree_view")
    cards.click('#txt2img_lora_tree [data-folder="styles"]')
    wait_for_names(cards, "oil", "ink")
    cards.click('#txt2img_lora_tree [data-folder=""]')
    wait_for_names(cards, "oil", "ink", "anna")


def test_a_click_puts_a_lora_into_the_prompts_and_a_second_takes_it_out(cards):
    type_prompts(cards, "a cat", "night")
    use = card(cards, "ink").locator(".card-use")
    use.click()
    assert prompts(cards) == ("a cat <lora:ink:0.5> sumi", "night (photo:1)")
    assert use.get_attribute("aria-pressed") == "true"
    # It is the same network at another weight.
    type_prompts(cards, "<lora:ink:0.8> sumi, a cat <lora:oil:1>", "(photo:1) night")
    use.click()
    assert prompts(cards) == (", a cat <lora:oil:1>", "night")
    assert use.get_attribute("aria-pressed") == "false"
    type_prompts(cards, "")
    use.focus()
    cards.keyboard.press("Enter")
    assert prompts(cards)[0] == "<lora:ink:0.5> sumi"
    use.click()
    assert prompts(cards) == ("", "")


def test_an_embedding_goes_where_somebody_wrote_last(cards):
    open_tab(cards, "textual_inversion")
    use = card(cards, "bad-hands", "textual_inversion").locator(".card-use")
    cards.fill("#txt2img_prompt textarea", "a cat")
    cards.fill("#txt2img_neg_prompt textarea", "night")
    use.click()
    assert prompts(cards) == ("a cat", "night bad-hands")
    cards.fill("#txt2img_neg_prompt textarea", "(bad-hands:1.2), bad-hands-2")
    use.click()
    assert prompts(cards) == ("a cat", ", bad-hands-2")


def test_a_second_click_takes_out_what_the_first_put_in_whatever_the_name(cards):
    names = [
        "r=eq",
        "r:colon",
        "r#hash",
        "r(paren)",
        "a|b",
        "a>b",
        "a<b",
        "back\\slash",
        "a, b",
        "AND",
        "c.d+e*",
    ]
    texts = [network_tag("lora", name, "0.8") for name in names] + [literal_words(name) for name in names]
    found = """text => {
        const used = withNetwork("a cat", text);
        return [hasNetwork("a cat", text), hasNetwork(used, text), withoutNetwork(used, text)];
    }"""
    assert {text: cards.evaluate(found, text) for text in texts} == {
        text: [False, True, "a cat"] for text in texts
    }
    has = "([prompt, text]) => hasNetwork(prompt, text)"
    assert cards.evaluate(has, ["<LoRA:r\\:colon:0.3:te=1> x", "<lora:r\\:colon:1>"])
    assert cards.evaluate(has, ["a (r\\(paren\\):1.2) b", "r\\(paren\\)"])
    assert not cards.evaluate(has, ["r\\(paren\\)", "paren"])
    assert not cards.evaluate(has, ["<lora:ink:1>", "ink"])
    assert not cards.evaluate(has, ["<lora:r\\:colon:1>", "<lora:r:1>"])


def test_refresh_finds_a_new_file(cards, loras):
    new = write_network(loras / "people" / "bert.safetensors", SD1)
    cards.click("#txt2img_lora_extra_refresh")
    wait_for_names(cards, "anna", "bert", "ink", "oil")
    new.unlink()


def test_the_editor_keeps_what_is_written_and_what_others_wrote(cards, loras):
    card(cards, "ink").hover()
    card(cards, "ink").locator(".edit-button").click()
    cards.wait_for_selector("#network_editor.open")
    assert cards.input_value("#network_preferred_weight") == "0.5"
    cards.fill("#network_description", "Broad <b>strokes</b>")
    cards.click('#network_tags [data-tag="red hat"]')
    assert cards.input_value("#network_activation_text") == "sumi, red hat"
    assert cards.input_value("#network_random")
    cards.click("#network_editor_save")
    cards.wait_for_selector("#network_editor:not(.open)", state="attached")
    written = json.loads((loras / "styles" / "ink.json").read_text())
    assert (written["description"], written["activation text"]) == ("Broad <b>strokes</b>", "sumi, red hat")
    assert (written["foreign"], written["sd version"]) == (1, "SD1")
    shown = card(cards, "ink").locator(".description")
    assert shown.inner_text() == "Broad <b>strokes</b>"
    assert cards.evaluate(
        "document.querySelector('#network_editor_facts').textContent.includes('ink.safetensors')"
    )


def test_the_metadata_of_the_file_are_shown(cards):
    card(cards, "ink").hover()
    card(cards, "ink").locator(".metadata-button").click()
    cards.wait_for_selector("#network_metadata_dialog.open")
    assert '"red hat": 4' in cards.inner_text("#network_metadata")
    cards.keyboard.press("Escape")
    assert not cards.is_visible("#network_metadata_dialog")


def test_the_chosen_picture_becomes_the_preview(cards, loras):
    cards.click("#txt2img_generation_page-button")
    for name, value in {"steps": 1, "width": 72, "height": 64, "seed": 3, "batch_count": 1}.items():
        cards.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    type_prompts(cards, "a lighthouse")
    before = cards.evaluate("shownJobs.txt2img?.id ?? null")
    cards.click("#txt2img_generate")
    cards.wait_for_function(
        "before => shownJobs.txt2img?.is_final && shownJobs.txt2img.id !== before", arg=before
    )
    open_tab(cards, "lora")
    card(cards, "oil").hover()
    card(cards, "oil").locator(".edit-button").click()
    cards.wait_for_selector("#network_editor.open")
    cards.click("#network_preview_chosen")
    cards.wait_for_selector("#network_editor_preview img")
    cards.wait_for_function("byId('network_editor_state').textContent.includes('saved')")
    with Image.open(loras / "styles" / "oil.png") as preview:
        assert preview.size == (72, 64)
        assert preview.text["parameters"].startswith("a lighthouse")
    cards.click("#network_editor_cancel")
    assert card(cards, "oil").locator("img.preview").count() == 1


def test_a_checkpoint_is_chosen_and_the_cards_follow_it(cards, program):
    open_tab(cards, "checkpoints")
    card(cards, "tiny-sdxl", "checkpoints").locator(".card-use").click()
    try:
        cards.wait_for_selector('.card.used[data-label="tiny-sdxl"]')
        answer = cards.evaluate("getJson('sdapi/v1/options').then((options) => options.sd_model_checkpoint)")
        assert answer.startswith("tiny-sdxl.safetensors")
        cards.wait_for_function(
            "document.querySelector('.checkpoint-facts').textContent.startsWith('SDXL · ')"
        )
        open_tab(cards, "lora")
        wait_for_names(cards, "large")
    finally:
        cards.evaluate("selectCheckpoint('tiny-sd1.safetensors')")
        cards.wait_for_function("checkpointInUse().startsWith('tiny-sd1')")
    wait_for_names(cards, "anna", "ink", "oil")


def test_only_what_is_scrolled_to_is_in_the_page(cards, loras):
    many = [write_network(loras / "many" / f"n{number:03}.safetensors", SD1) for number in range(230)]
    cards.click("#txt2img_lora_extra_refresh")
    cards.wait_for_function("document.querySelectorAll('#txt2img_lora_cards .card').length === 100")
    for count in (200, 233):
        cards.evaluate("byId('txt2img_lora_cards').scrollTo(0, 1e6)")
        cards.wait_for_function(
            "count => document.querySelectorAll('#txt2img_lora_cards .card').length === count", arg=count
        )
    shown = names(cards)
    for path in many:
        path.unlink()
    assert len(set(shown)) == 233
    assert "n229" in shown


def test_names_from_files_are_only_text(cards, loras):
    evil = 'x" onmouseover="window.evil = 1"><img src=x onerror="window.evil = 2">'
    path = write_network(loras / f"{evil}.safetensors", SD1 | {"ss_output_name": evil})
    cards.click("#txt2img_lora_extra_refresh")
    wait_for_names(cards, evil, "anna", "ink", "oil")
    cards.locator("#txt2img_lora_cards .card").first.hover()
    cards.locator("#txt2img_lora_cards .card .edit-button").first.click()
    cards.wait_for_selector("#network_editor.open")
    assert cards.inner_text("#network_editor_title") == evil
    assert cards.evaluate("window.evil") is None
    cards.click("#network_editor_cancel")
    path.unlink()
