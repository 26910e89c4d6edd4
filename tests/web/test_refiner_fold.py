"""The refiner as a person uses it: ticked, chosen, drawn with, read back from a text."""

import pytest

pytestmark = pytest.mark.browser

SHOWN = "before => shownJobs.txt2img?.is_final && shownJobs.txt2img.id !== before"


def fill(page, **values) -> None:
    for name, value in values.items():
        page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))


def text_of_next_picture(page) -> str:
    before = page.evaluate("shownJobs.txt2img?.id ?? null")
    page.click("#txt2img_generate")
    page.wait_for_function(SHOWN, arg=before)
    page.wait_for_function("taskQueues.txt2img.tasks.length === 0")
    return page.inner_text("#html_info_txt2img")


def test_it_takes_over_where_it_is_ticked_and_says_so_in_the_text(page) -> None:
    fill(page, steps=4, width=64, height=64, seed=3)
    assert not page.is_visible("#txt2img_checkpoint")
    page.check("#txt2img_enable-checkbox input")
    page.click("#txt2img_generate")
    page.wait_for_selector("text=no checkpoint is chosen there")
    page.click("#txt2img_checkpoint input")
    page.click("#txt2img_checkpoint [role=option]:has-text('tiny-sd2')")
    fill(page, switch_at=0.5)
    text = text_of_next_picture(page)
    assert "Refiner: tiny-sd2" in text and "Refiner switch at: 0.5" in text
    page.uncheck("#txt2img_enable-checkbox input")
    assert "Refiner" not in text_of_next_picture(page)


def test_a_text_that_names_one_ticks_it(page) -> None:
    text = "a cat\nSteps: 4, Size: 64x64, Refiner: tiny-sd2, Refiner switch at: 0.3"
    page.fill("#txt2img_prompt textarea", text)
    page.click("#paste")
    page.wait_for_selector("#txt2img_enable-checkbox input:checked")
    page.wait_for_function(
        "document.querySelector('#txt2img_checkpoint input').value.startsWith('tiny-sd2.safetensors')"
    )
    assert page.locator("#txt2img_switch_at input[type=number]").input_value() == "0.3"
