"""The Script menu in the browser: a script is chosen, its controls are shown, the picture grows."""

import pytest

pytestmark = pytest.mark.browser


def test_a_picture_is_outpainted_from_the_page(page):
    page.evaluate("asPng(newCanvas(64, 64)).then((blob) => sendPicture('img2img', blob))")
    page.wait_for_function("async () => Boolean(await pictureOf('img2img'))")
    for name, value in {"steps": 2, "width": 64, "height": 64, "seed": 3}.items():
        page.locator(f"#img2img_{name} input[type=number]").fill(str(value))
    panel = page.locator("#img2img_script_outpainting_mk2")
    assert panel.is_hidden()
    page.click("#img2img_script_list input")
    page.click("#img2img_script_list [role=option]:has-text('Outpainting mk2')")
    panel.wait_for(state="visible")
    assert page.locator("#img2img_script_poor_mans_outpainting").is_hidden()
    page.locator("#script_outpainting_mk2_pixels input[type=number]").fill("32")
    for direction in ("right", "up", "down"):
        page.locator("#script_outpainting_mk2_direction").get_by_label(direction).uncheck()
    page.click("#img2img_generate")
    page.wait_for_function("shownJobs.img2img?.is_final && shownJobs.img2img.pictures.length === 1")
    drawn = page.evaluate(
        "async () => { const blob = await (await fetch(shownJobs.img2img.pictures[0].url)).blob();"
        " const { width, height } = await createImageBitmap(blob); return [width, height]; }"
    )
    assert drawn == [128, 64]
