"""The buttons that put a picture into words, as a person uses them."""

import base64
from pathlib import Path

import pytest

from tests.interrogation.onnx_files import write_tagger

HELD_OUT = Path(__file__).parents[1] / "interrogation" / "held_out.jpg"
PENGUIN = 11
PUT_PICTURE = """async ([sheet, number]) => {
    const image = await createImageBitmap(await (await fetch(sheet)).blob());
    const tile = new OffscreenCanvas(64, 64);
    tile.getContext("2d").drawImage(image, -64 * (number % 13), -64 * Math.floor(number / 13));
    return sendPicture("img2img", await tile.convertToBlob());
}"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sheet():
    return "data:image/jpeg;base64," + base64.b64encode(HELD_OUT.read_bytes()).decode()


@pytest.fixture(scope="module")
def sure_tagger(user_folder):
    """A tagger in the user's folder that gives two tags to every picture."""
    home = user_folder / "models" / "Interrogators" / "sure"
    write_tagger(home / "model.onnx", [1, 16, 16, 3], scores=[0.9, 0.1, 0.7])
    (home / "tags.txt").write_text("long_hair\nhat\nsky")


@pytest.fixture
def tab(page):
    page.evaluate("switch_to_img2img_tab(0)")
    return page


def prompt(page):
    return page.locator("#img2img_prompt textarea")


def wait_for_prompt(page, text):
    page.wait_for_function("text => getText('img2img_prompt') === text", arg=text)


def test_without_a_picture_a_notice_says_so(tab):
    tab.click("#interrogate")
    tab.wait_for_selector(".notice.error >> text=There is no picture to describe")


def test_the_buttons_and_the_menu_put_words_into_the_prompt(tab, sheet, sure_tagger):
    assert tab.evaluate(PUT_PICTURE, [sheet, PENGUIN])
    prompt(tab).fill("what stood there")
    tab.click("#interrogate")
    wait_for_prompt(tab, "a picture of a penguin, twemoji style")
    prompt(tab).focus()
    tab.keyboard.press("Control+z")
    wait_for_prompt(tab, "what stood there")
    tab.click("#deepbooru")
    wait_for_prompt(tab, "long hair, sky")
    tab.wait_for_selector("#img2img_interrogators .interrogator-menu option[value=sure]", state="attached")
    tab.select_option("#img2img_interrogators .interrogator-menu", "easel-emoji")
    wait_for_prompt(tab, "penguin, twemoji style")
    assert tab.locator("#img2img_tools .working").count() == 0


def test_what_no_model_recognises_is_said_and_leaves_the_prompt(tab):
    assert tab.evaluate("""async () => {
        const blank = new OffscreenCanvas(40, 40);
        blank.getContext("2d").fillRect(0, 0, 40, 40);
        return sendPicture("img2img", await blank.convertToBlob());
    }""")
    prompt(tab).fill("mine")
    tab.click("#interrogate")
    tab.wait_for_selector(".notice >> text=put a captioning model")
    assert prompt(tab).input_value() == "mine"
