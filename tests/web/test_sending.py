"""Results go from place to place: the picture, and its parameters with it."""

import pytest

pytestmark = pytest.mark.browser


def draw(page, **values) -> None:
    """Make a small picture on the txt2img tab, as its Generate button does."""
    fields = {"steps": 1, "width": 72, "height": 64, "seed": 31, "batch_count": 1, **values}
    for name, value in fields.items():
        page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    page.locator("#txt2img_prompt textarea").fill("a lighthouse")
    before = page.evaluate("shownJobs.txt2img?.id ?? null")
    page.click("#txt2img_generate")
    page.wait_for_function(
        "before => shownJobs.txt2img?.is_final && shownJobs.txt2img.id !== before", arg=before
    )


def wait_for_number(page, name: str, value: int) -> None:
    page.wait_for_function(
        "([id, value]) => document.querySelector(`#${id} input[type=number]`).value === value",
        arg=[name, str(value)],
    )


def size_in(page, place: str) -> list[int]:
    return page.evaluate(
        "async (place) => { const { width, height } = await createImageBitmap(await pictureOf(place));"
        " return [width, height]; }",
        place,
    )


def test_a_result_goes_to_extras_and_from_there_its_parameters_go_to_txt2img(page):
    draw(page, batch_count=2)
    page.locator("#txt2img_gallery .thumbnails .thumbnail-item").last.click()
    page.click("#txt2img_send_to_extras")
    page.wait_for_selector("#tab_extras:not(.hidden-page)")
    page.wait_for_selector("#extras_image_batch img")
    assert size_in(page, "extras") == [72, 64]
    page.click("#extras_generate")
    page.wait_for_function("shownJobs.extras?.pictures.length === 1 && !extrasRun")
    page.evaluate("setText('txt2img_seed', '5')")
    page.click("#extras_send_to_txt2img")
    wait_for_number(page, "txt2img_seed", 32)
    assert page.locator("#tab_txt2img").is_visible()


def redraw(page, **values) -> None:
    """Press Generate of the img2img tab and wait for its pictures."""
    for name, value in values.items():
        page.locator(f"#img2img_{name} input[type=number]").fill(str(value))
    before = page.evaluate("shownJobs.img2img?.id ?? null")
    page.click("#img2img_generate")
    page.wait_for_function(
        "before => shownJobs.img2img?.is_final && shownJobs.img2img.id !== before", arg=before
    )


def test_a_result_goes_to_img2img_is_redrawn_and_goes_back_and_the_queue_brings_it_again(page):
    draw(page)
    page.click("#txt2img_send_to_img2img")
    wait_for_number(page, "img2img_seed", 31)
    assert size_in(page, "img2img") == [72, 64]
    assert page.evaluate("get_img2img_tab_index()") == 0
    assert page.input_value("#img2img_prompt textarea") == "a lighthouse"
    page.fill("#img2img_prompt textarea", "a lighthouse at night")
    redraw(page, seed=4711, steps=2)
    page.click("#img2img_send_to_txt2img")
    wait_for_number(page, "txt2img_seed", 4711)
    assert page.input_value("#txt2img_prompt textarea") == "a lighthouse at night"
    assert page.locator("#tab_txt2img").is_visible()
    page.evaluate("asPng(newCanvas(80, 80)).then((blob) => sendPicture('img2img', blob))")
    page.wait_for_selector("#tab_img2img:not(.hidden-page)")
    page.locator("#img2img_seed input[type=number]").fill("5")
    page.click("#tab_queue-button")
    job = page.locator("#queue_past .queue-job").filter(has_text="a lighthouse at night").first
    job.get_by_role("button", name="Send to img2img").click()
    wait_for_number(page, "img2img_seed", 4711)
    page.wait_for_function("pictureOf('img2img').then(createImageBitmap).then(({ width }) => width === 72)")


def test_a_picture_goes_to_inpaint_and_to_the_outpaint_canvas_and_from_png_info_too(page):
    draw(page)
    for place, subtab in (("inpaint", 2), ("outpaint", 6)):
        page.evaluate("setText('img2img_seed', '5'); switchToTab('tab_txt2img')")
        page.click(f"#txt2img_send_to_{place}")
        wait_for_number(page, "img2img_seed", 31)
        assert page.evaluate("get_img2img_tab_index()") == subtab
        assert size_in(page, place) == [72, 64]
    data = page.evaluate(
        "fetch(chosenPictureAddress('txt2img'))"
        ".then(async (answer) => [...new Uint8Array(await answer.arrayBuffer())])"
    )
    page.click("#tab_pnginfo-button")
    dropped = {"name": "dropped.png", "mimeType": "image/png", "buffer": bytes(data)}
    page.set_input_files("#pnginfo_image input[type=file]", dropped)
    page.wait_for_function("document.querySelector('#pnginfo_html').textContent.includes('a lighthouse')")
    page.evaluate("setText('img2img_seed', '5')")
    page.click("#img2img_tab")
    wait_for_number(page, "img2img_seed", 31)
    assert page.evaluate("get_img2img_tab_index()") == 0
    assert size_in(page, "img2img") == [72, 64]


def test_a_picture_without_a_text_changes_no_form_and_what_cannot_be_sent_is_said(page):
    page.locator("#txt2img_seed input[type=number]").fill("5")
    page.evaluate("asPng(newCanvas(40, 24)).then((blob) => sendTo('extras', blob, ''))")
    page.wait_for_function("extrasPictures.length === 1")
    assert size_in(page, "extras") == [40, 24]
    page.evaluate("sendTo('txt2img', null, '')")
    page.wait_for_selector(".notice:has-text('carries no generation text')")
    assert page.locator("#txt2img_seed input[type=number]").input_value() == "5"
    page.evaluate("sendPicture('nowhere', 'easel/v1/jobs/none/pictures/0')")
    page.wait_for_selector(".notice:has-text('no place for pictures named nowhere')")
    assert page.evaluate("sendPicture('extras', null)") is False
    page.wait_for_selector(".notice:has-text('no picture to send')")
