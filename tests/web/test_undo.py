"""Ctrl+Z in the prompts takes back whatever changed them."""

import pytest

pytestmark = pytest.mark.browser

INFOTEXT = "a read cat\nNegative prompt: night\nSteps: 7, Sampler: Euler a, Seed: 1, Size: 64x64"


@pytest.fixture
def page(kept_page):
    kept_page.evaluate("window.confirm = () => true")
    kept_page.evaluate("localStorage.removeItem('easel.bin.txt2img')")
    for tab in ("img2img", "txt2img"):
        kept_page.click(f"#tab_{tab}-button")
        for name in ("prompt", "neg_prompt"):
            field(kept_page, f"{tab}_{name}").fill("")
    kept_page.evaluate("for (const tab of GENERATION_TABS) beginHistories(tab)")
    return kept_page


def field(page, name):
    return page.locator(f"#{name} textarea")


def wait_for_text(page, name, text):
    page.wait_for_function(
        "([name, text]) => document.querySelector(`#${name} textarea`).value === text", arg=[name, text]
    )


FIELDS = (
    ("txt2img", "txt2img_prompt"),
    ("txt2img", "txt2img_neg_prompt"),
    ("txt2img", "txt2img_hr_prompt"),
    ("txt2img", "txt2img_hr_neg_prompt"),
    ("img2img", "img2img_prompt"),
    ("img2img", "img2img_neg_prompt"),
)


def test_keys_typing_and_what_a_script_writes_are_taken_back_step_by_step_in_every_prompt(page):
    page.evaluate("opts.hires_fix_show_prompts = true; showHiresRows()")
    page.evaluate("setFold(byId('txt2img_hr'), true)")
    for tab, name in FIELDS:
        page.click(f"#tab_{tab}-button")
        prompt = field(page, name)
        prompt.click()
        page.keyboard.type("one, two")
        page.keyboard.press("Control+ArrowUp")
        assert prompt.input_value() == "one, (two:1.1)", name
        page.keyboard.press("Control+ArrowUp")
        page.keyboard.press("Alt+ArrowLeft")
        assert prompt.input_value() == "(two:1.2), one", name
        prompt.evaluate("field => { field.value += ', by a script'; updateInput(field); }")
        prompt.evaluate("field => { field.setRangeText('0'); updateInput(field); }")
        for before in (
            "(two:1.2), one, by a script",
            "(two:1.2), one",
            "one, (two:1.2)",
            "one, (two:1.1)",
            "one, two",
        ):
            page.keyboard.press("Control+z")
            assert prompt.input_value() == before, name
        for _ in range(12):
            page.keyboard.press("Control+z")
        assert prompt.input_value() == "", name
        page.keyboard.press("Control+Shift+z")
        assert prompt.input_value() != "", name
        for _ in range(20):
            page.keyboard.press("Control+y")
        assert prompt.input_value() == "(two:1.2), one, by a script0", name
        prompt.fill("")


def test_the_bin_is_undone_in_both_prompts_wherever_the_focus_is_and_after_a_reload(page):
    def write_and_clear():
        field(page, "txt2img_prompt").fill("a cat")
        field(page, "txt2img_neg_prompt").fill("a dog")
        page.click("#txt2img_clear_prompt")
        wait_for_text(page, "txt2img_prompt", "")
        wait_for_text(page, "txt2img_neg_prompt", "")

    def check_both():
        wait_for_text(page, "txt2img_prompt", "a cat")
        wait_for_text(page, "txt2img_neg_prompt", "a dog")

    write_and_clear()
    page.keyboard.press("Control+z")
    check_both()
    write_and_clear()
    page.focus("#txt2img_prompt textarea")
    page.keyboard.press("Control+z")
    check_both()
    write_and_clear()
    page.click("#txt2img_clear_prompt")
    check_both()
    # Gradio knows the text too: it is what would be sent.
    page.wait_for_function("localStorage.getItem('easel.form.txt2img').includes('\"a cat\"')")


def test_reading_parameters_styles_and_cards_are_undone(page):
    prompt = field(page, "txt2img_prompt")
    prompt.fill(INFOTEXT)
    page.click("#paste")
    wait_for_text(page, "txt2img_prompt", "a read cat")
    wait_for_text(page, "txt2img_neg_prompt", "night")
    prompt.focus()
    page.keyboard.press("Control+z")
    assert prompt.input_value() == INFOTEXT
    assert field(page, "txt2img_neg_prompt").input_value() == ""
    prompt.fill("a cat")
    page.evaluate("cardClicked('txt2img', '<lora:tiny:1>', 'blurry', false)")
    assert prompt.input_value().endswith("<lora:tiny:1>")
    assert field(page, "txt2img_neg_prompt").input_value() == "blurry"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+z")
    assert [field(page, name).input_value() for name in ("txt2img_prompt", "txt2img_neg_prompt")] == [
        "a cat",
        "",
    ]
    page.evaluate(f"fillFormFromText('txt2img', {INFOTEXT!r})")
    wait_for_text(page, "txt2img_prompt", "a read cat")
    page.keyboard.press("Control+z")
    wait_for_text(page, "txt2img_prompt", "a cat")
