"""The Batch sub-tab in a browser: pictures that are dropped or lie in a folder, and how far it is."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def make_pictures(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        Image.new("RGB", (64, 64), (40 * number, 90, 200)).save(folder / name)
    return folder


@pytest.fixture
def batch_page(page):
    """The page with the Batch sub-tab open, and small pictures asked for."""
    page.evaluate("switchToTab('tab_img2img')")
    page.click("#img2img_batch_tab-button")
    for control, value in (("steps", 2), ("width", 64), ("height", 64)):
        page.fill(f"#img2img_{control} input[type=number]", str(value))
        page.press(f"#img2img_{control} input[type=number]", "Tab")
    return page


def row_says(page, *words: str) -> None:
    """Wait until the newest batch says so."""
    for word in words:
        page.locator(".batch-row").first.filter(has_text=re.compile(word)).wait_for()


def test_a_folder_is_redrawn_and_what_is_broken_is_named(batch_page, user_folder):
    page, given = batch_page, make_pictures(user_folder / "given", "a.png", "c.png")
    (given / "b.png").write_bytes(b"no picture")
    page.click("#img2img_batch_source label:has-text('From directory')")
    page.fill("#img2img_batch_input_dir textarea, #img2img_batch_input_dir input", "given")
    page.fill("#img2img_batch_output_dir textarea, #img2img_batch_output_dir input", "made")
    page.click("#img2img_generate")
    row_says(page, "3 of 3", "1 failed: b.png", "Try failed ones again")
    assert sorted(path.name for path in (user_folder / "made").iterdir()) == ["a.png", "c.png"]
    page.click(".batch-failed summary")
    assert "b.png: " in page.inner_text(".batch-failed li")
    Image.new("RGB", (64, 64)).save(given / "b.png")
    page.click(".batch-actions button:has-text('Try failed')")
    page.locator(".batch-failed").wait_for(state="hidden")
    row_says(page, "3 of 3")
    assert (user_folder / "made" / "b.png").exists()
    page.click(".batch-actions button:has-text('Forget')")
    page.wait_for_function("document.querySelectorAll('.batch-row').length === 0")


def test_pictures_that_are_chosen_are_sent_and_redrawn(batch_page, user_folder, tmp_path):
    page, given = batch_page, make_pictures(tmp_path / "here", "x.png", "y.png", "z.png")
    page.set_input_files("#img2img_batch_files", sorted(given.iterdir()))
    assert "3 pictures" in page.inner_text("#img2img_batch_names")
    page.fill("#img2img_batch_output_dir textarea, #img2img_batch_output_dir input", "made of sent ones")
    page.click("#img2img_generate")
    row_says(page, "3 of 3")
    made = user_folder / "made of sent ones"
    assert sorted(path.name for path in made.iterdir()) == ["x.png", "y.png", "z.png"]

    def shown_names():
        return page.evaluate("shownJobs.img2img.pictures.map(({ name }) => name)")

    def wait_for_all():
        page.wait_for_function("shownJobs.img2img?.pictures.length === 3")
        page.wait_for_function("galleryPictures('img2img').length === 3")
        page.wait_for_function("byId('img2img_batch_names').textContent.startsWith('3 pictures')")
        assert shown_names() == ["x.png", "y.png", "z.png"]

    wait_for_all()
    page.reload()
    page.wait_for_function("typeof formIsRecalled !== 'undefined' && formIsRecalled")
    wait_for_all()
    page.evaluate("switchToTab('tab_img2img')")
    page.locator("#img2img_gallery .thumbnails .thumbnail-item").nth(1).click()
    page.click("#save_zip_img2img")
    page.locator("#html_log_img2img").filter(has_text=".zip").wait_for()
    saved = max((user_folder / "log").rglob("*.zip"), key=lambda path: path.stat().st_mtime)
    assert [name.split("-", 1)[1] for name in ZipFile(saved).namelist()] == ["x.png", "y.png", "z.png"]
    page.click("#img2img_batch_remove_all")
    page.wait_for_function("byId('img2img_batch_names').hidden")
