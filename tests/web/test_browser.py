"""The page as a person uses it, in a headless Chromium against the real server and a small model."""

import json
import re

import pytest

pytestmark = pytest.mark.browser

INFOTEXT = """portrait of a (beautiful:1.2) cat
Negative prompt: night
Steps: 7, Sampler: Euler a, Schedule type: Karras, CFG scale: 4.5, Seed: 1234, Size: 72x80, Clip skip: 2"""


def number(page, name: str):
    return page.locator(f"#txt2img_{name} input[type=number]")


def fill(page, **values) -> None:
    for name, value in values.items():
        number(page, name).fill(str(value))


def prompt(page):
    return page.locator("#txt2img_prompt textarea")


def ask_for_small_picture(page, **values) -> None:
    fill(page, **{"steps": 2, "width": 64, "height": 64, "seed": 42, "batch_count": 1, **values})


def wait_until_drawn(page) -> None:
    page.wait_for_function("taskQueues.txt2img.tasks.length === 0")


def shown_task(page) -> str | None:
    return page.evaluate("shownJobs.txt2img?.id ?? null")


def wait_until_shown(page, before: str | None) -> None:
    """Until the pictures of another task than `before` stand in the gallery and nothing is under way."""
    page.wait_for_function(
        "before => shownJobs.txt2img?.is_final && shownJobs.txt2img.id !== before", arg=before
    )
    wait_until_drawn(page)


def generate(page) -> None:
    before = shown_task(page)
    page.click("#txt2img_generate")
    wait_until_shown(page, before)


def text_of_picture(page) -> str:
    return page.inner_text("#html_info_txt2img")


def start_long_run(page) -> None:
    ask_for_small_picture(page, steps=150, width=128, height=128, batch_count=20)
    page.click("#txt2img_generate")
    page.wait_for_selector(".progressDiv")
    page.wait_for_function("document.querySelector('.progress-text')?.textContent.includes('step')")


def interrupt(page) -> None:
    page.click("#txt2img_interrupt")
    wait_until_drawn(page)


def test_a_prompt_becomes_a_picture_with_progress_and_its_text(page):
    prompt(page).fill("a cat face")
    ask_for_small_picture(page, steps=12)
    page.evaluate(
        """() => {
            window.seen = [];
            new MutationObserver(() => {
                const text = document.querySelector('.progress-text')?.textContent;
                if (text) window.seen.push(text);
            }).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-testid=detailed-image]")
    wait_until_drawn(page)
    info = page.inner_text("#html_info_txt2img")
    assert "a cat face" in info
    assert "Seed: 42" in info
    assert "Size: 64x64" in info
    assert any(re.search(r"\d+% · .*step \d+ of 12", text) for text in page.evaluate("window.seen"))
    assert "1 picture. Took" in page.inner_text("#html_log_txt2img")
    shown = page.evaluate("document.querySelector('[data-testid=detailed-image]').naturalWidth")
    assert shown == 64


def test_the_seed_of_a_random_picture_is_recycled_and_the_dice_forgets_it(page):
    ask_for_small_picture(page, seed=-1)
    generate(page)
    seed = re.search(r"Seed: (\d+)", text_of_picture(page)).group(1)
    page.click("#txt2img_reuse_seed")
    page.wait_for_function("seed => document.querySelector('#txt2img_seed input').value === seed", arg=seed)
    page.click("#txt2img_random_seed")
    page.wait_for_function("document.querySelector('#txt2img_seed input').value === '-1'")


def test_text_and_facts_are_always_those_of_the_chosen_picture_even_when_every_event_is_late(page):
    late = []
    page.route(
        "**/gradio_api/**", lambda route: (late.append(route), page.wait_for_timeout(1500), route.continue_())
    )
    for seed in (100, 200):
        ask_for_small_picture(page, seed=seed, batch_count=2)
        generate(page)
        assert f"Seed: {seed}" in text_of_picture(page)
        assert page.evaluate("JSON.parse(chosenPicture('txt2img')[1]).gallery_seeds") == [
            seed,
            seed,
            seed + 1,
        ]
    page.wait_for_function(
        "JSON.parse(document.querySelector('#generation_info_txt2img textarea').value || '{}').seed === 200"
    )
    page.wait_for_timeout(2000)
    assert "Seed: 200" in text_of_picture(page)


def test_another_picture_is_chosen_and_its_text_shown_without_asking_the_server(page):
    ask_for_small_picture(page, seed=300, batch_count=3)
    generate(page)
    page.wait_for_function("galleryPictures('txt2img').length === 4")
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda request: "/pictures/" in request.url or asked.append(request.url))
    for index, seed in ((3, 302), (1, 300), (2, 301)):
        page.locator("#txt2img_gallery .thumbnails .thumbnail-item").nth(index).click()
        page.wait_for_function(
            "seed => document.querySelector('#html_info_txt2img').innerText.includes(`Seed: ${seed}`)",
            arg=seed,
        )
        page.click("#txt2img_reuse_seed")
        page.wait_for_function(
            "seed => document.querySelector('#txt2img_seed input').value === seed", arg=str(seed)
        )
    assert asked == []
    # The focus goes from picture to picture by itself too, long after the last click.
    pictures = page.locator("#txt2img_gallery .thumbnails .thumbnail-item")
    pictures.nth(1).click()
    page.wait_for_timeout(350)
    pictures.nth(2).evaluate("picture => picture.focus()")
    assert pictures.nth(2).evaluate("picture => document.activeElement === picture")


def test_a_run_is_found_again_after_a_reload_and_in_another_browser_and_can_be_interrupted(page, watched):
    start_long_run(page)
    page.reload()
    page.wait_for_selector(".progressDiv")
    page.wait_for_selector(".livePreview img")
    other = watched()
    other.wait_for_selector(".progressDiv")
    interrupt(page)
    assert "Interrupted after" in page.inner_text("#html_log_txt2img")
    wait_until_drawn(other)


def test_the_last_pictures_are_shown_again_after_a_reload_and_the_page_stays_at_its_top(page):
    prompt(page).fill("a lighthouse")
    ask_for_small_picture(page)
    generate(page)
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate("scrollTo(0, 0)")
    page.reload()
    page.wait_for_selector("[data-testid=detailed-image]")
    page.wait_for_function(
        "document.querySelector('#html_info_txt2img').textContent.includes('a lighthouse')"
    )
    page.wait_for_timeout(300)
    assert page.evaluate("[scrollY, document.activeElement.tagName]") == [0, "BODY"]


def test_more_work_is_queued_while_something_runs(page):
    start_long_run(page)
    page.click("#txt2img_generate")
    page.wait_for_function("document.querySelector('#txt2img_generate').dataset.waiting === '1 waiting'")
    page.wait_for_function("document.querySelector('.progress-text').textContent.includes('1 more waiting')")
    page.click("#txt2img_interrupt")
    page.wait_for_function("taskQueues.txt2img.tasks.length === 1")
    page.wait_for_function("document.querySelector('.progress-text')?.textContent.includes('step')")
    interrupt(page)


def test_sizes_are_swapped(page):
    fill(page, width=128, height=192)
    page.click("#txt2img_res_switch_btn")
    page.wait_for_function("document.querySelector('#txt2img_width input[type=number]').value === '192'")
    assert number(page, "height").input_value() == "128"


def test_a_pasted_generation_text_fills_the_form(page):
    prompt(page).fill(INFOTEXT)
    page.click("#paste")
    page.wait_for_function("document.querySelector('#txt2img_seed input').value === '1234'")
    assert prompt(page).input_value() == "portrait of a (beautiful:1.2) cat"
    assert page.locator("#txt2img_neg_prompt textarea").input_value() == "night"
    assert [number(page, name).input_value() for name in ("steps", "cfg_scale", "width", "height")] == [
        "7",
        "4.5",
        "72",
        "80",
    ]
    assert page.locator("#txt2img_sampling input").input_value() == "Euler a"
    assert page.locator("#txt2img_scheduler input").input_value() == "Karras"
    assert "CLIP_stop_at_last_layers: 2" in page.inner_text("#txt2img_override_settings")


def test_a_changed_setting_is_saved_marked_and_can_be_reset(page, user_folder):
    page.click("#tab_settings-button")
    page.fill("#settings_search", "jpeg quality")
    row = page.locator("#setting_jpeg_quality")
    assert not page.locator("#setting_samples_save").is_visible()
    row.locator("input[type=number]").fill("91")
    page.click("#settings_submit")
    page.wait_for_function("document.querySelector('#settings_state').textContent.includes('jpeg_quality')")
    assert json.loads((user_folder / "config.json").read_text())["jpeg_quality"] == 91
    assert "differs" in row.get_attribute("class")
    row.locator(".setting-reset").click()
    page.click("#settings_submit")
    page.wait_for_function("opts.jpeg_quality === 80")
    assert "differs" not in row.get_attribute("class")


def test_a_value_that_cannot_be_is_said_and_the_form_keeps_it(page):
    ask_for_small_picture(page, width=13)
    page.click("#txt2img_generate")
    page.wait_for_selector(".notice.error")
    assert "width" in page.inner_text(".notice.error")
    assert "width" in page.inner_text("#html_log_txt2img")
    assert number(page, "width").input_value() == "13"


def test_guidance_outside_the_slider_is_used_as_typed(page):
    ask_for_small_picture(page, cfg_scale=-2)
    generate(page)
    assert "CFG scale: -2" in page.inner_text("#html_info_txt2img")


def test_what_stands_in_the_form_survives_a_reload(page):
    prompt(page).fill("kept for later")
    fill(page, steps=33)
    page.click("#txt2img_hr-checkbox input")
    page.wait_for_function("(localStorage.getItem('easel.form.txt2img') ?? '').includes('kept for later')")
    page.reload()
    page.wait_for_function("document.querySelector('#txt2img_prompt textarea')?.value === 'kept for later'")
    assert number(page, "steps").input_value() == "33"
    assert page.locator("#txt2img_hr_upscaler").is_visible()


def test_the_list_of_a_menu_closes_when_the_tab_key_goes_on_to_the_next_control(page):
    page.focus("#txt2img_sampling input")
    page.wait_for_selector("#txt2img_sampling [role=option]")
    page.keyboard.press("Tab")
    page.wait_for_selector("#txt2img_scheduler input:focus")
    page.wait_for_selector("#txt2img_scheduler [role=option]")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.matches('#txt2img_steps input')")
    page.wait_for_function("!document.querySelector('[role=option]')")
    assert page.input_value("#txt2img_sampling input") == "DPM++ 2M"


def test_keys_change_the_emphasis_and_the_order_of_words(page):
    for before, selected, key, after in (
        ("a red cat", "red", "Control+ArrowUp", "a (red:1.1) cat"),
        ("a (red:1.1) cat", "red", "Control+ArrowDown", "a red cat"),
        ("a (red) cat", "red", "Control+ArrowUp", "a (red:1.2) cat"),
        ("one, two, three", "two", "Alt+ArrowLeft", "two, one, three"),
        ("one, two, three", "one", "Alt+ArrowRight", "two, one, three"),
        ("a <lora:style:0.8>", "lora", "Control+ArrowUp", "a <lora:style:0.85>"),
        ("<lora:a\\:b:0.8>", "b", "Control+ArrowUp", "<lora:a\\:b:0.85>"),
        ("r\\(1\\) cat", "cat", "Control+ArrowUp", "r\\(1\\) (cat:1.1)"),
        ("r\\(red\\)", "red", "Control+ArrowUp", "r\\((red:1.1)\\)"),
    ):
        prompt(page).fill(before)
        start = before.index(selected)
        prompt(page).evaluate(f"field => field.setSelectionRange({start}, {start + len(selected)})")
        page.keyboard.press(key)
        assert prompt(page).input_value() == after


def test_a_picture_that_arrives_does_not_take_the_focus_from_the_prompt(page):
    ask_for_small_picture(page, steps=5)
    before = shown_task(page)
    page.click("#txt2img_generate")
    prompt(page).click()
    page.keyboard.type("the next ")
    wait_until_shown(page, before)
    page.wait_for_selector("[data-testid=detailed-image]")
    page.wait_for_timeout(500)
    page.keyboard.type("prompt")
    assert prompt(page).input_value() == "the next prompt"


def test_the_token_counter_follows_the_prompt(page):
    prompt(page).fill("a cat, a dog")
    page.wait_for_function("document.querySelector('#txt2img_token_counter').textContent.trim() === '5/75'")
    page.locator("#txt2img_neg_prompt textarea").fill("night " * 80)
    page.wait_for_function(
        "document.querySelector('#txt2img_negative_token_counter').textContent.trim() === '80/150'"
    )


def test_a_style_is_saved_and_put_into_the_prompt(page, user_folder):
    prompt(page).fill("a boat")
    page.click("#txt2img_styles_edit_button")
    name = page.locator("#txt2img_styles_edit_select input")
    name.fill("Sketch")
    name.press("Enter")
    page.locator("#txt2img_edit_style_prompt textarea").fill("pencil sketch of {prompt}")
    page.click("#txt2img_edit_style_save")
    page.get_by_text("Saved the style Sketch.").wait_for()
    page.click("#txt2img_edit_style_close")
    assert "pencil sketch of {prompt}" in (user_folder / "styles.csv").read_text(encoding="utf-8-sig")
    page.locator("#txt2img_styles input").click()
    page.get_by_role("option", name="Sketch").click()
    page.click("#txt2img_style_apply")
    page.wait_for_function(
        "document.querySelector('#txt2img_prompt textarea').value === 'pencil sketch of a boat'"
    )


def test_pictures_are_seen_at_full_size_with_the_keyboard(page):
    ask_for_small_picture(page, batch_count=2)
    generate(page)
    page.click("[data-testid=detailed-image]")
    page.wait_for_selector("#lightboxModal.open")
    assert page.inner_text(".lightbox-count") == "1 / 3"
    first = page.locator("#modalImage").get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert page.locator("#modalImage").get_attribute("src") != first
    page.keyboard.press("Escape")
    assert not page.locator("#lightboxModal").is_visible()


def test_a_saved_picture_tells_its_text_and_is_sent_to_the_form(page, user_folder):
    prompt(page).fill("a kite")
    ask_for_small_picture(page, seed=77)
    generate(page)
    newest = max(
        (user_folder / "outputs" / "txt2img-images").rglob("*.png"), key=lambda path: path.stat().st_mtime
    )
    fill(page, seed=1)
    page.click("#tab_pnginfo-button")
    page.set_input_files("#pnginfo_image input[type=file]", newest)
    page.wait_for_function("document.querySelector('#pnginfo_html').textContent.includes('a kite')")
    page.click("#txt2img_tab")
    page.wait_for_function("document.querySelector('#txt2img_seed input').value === '77'")
    assert page.locator("#tab_txt2img").is_visible()


def test_a_picture_dropped_on_the_prompt_fills_the_form(page, user_folder):
    prompt(page).fill("a drum")
    ask_for_small_picture(page, seed=99)
    generate(page)
    fill(page, seed=1)
    page.evaluate(
        """async () => {
            const address = document.querySelector('[data-testid=detailed-image]').src;
            const file = new File([await (await fetch(address)).blob()], 'dropped.png', {type: 'image/png'});
            const carried = new DataTransfer();
            carried.items.add(file);
            const field = document.querySelector('#txt2img_prompt textarea');
            field.dispatchEvent(new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true}));
        }"""
    )
    page.wait_for_function("document.querySelector('#txt2img_seed input').value === '99'")
    assert prompt(page).input_value() == "a drum"


def test_everything_that_scripts_look_for_is_in_the_page_before_any_tab_or_panel_is_opened(page):
    wanted = [
        "#pnginfo_image",
        "#setting_jpeg_quality",
        "#txt2img_hr_upscaler",
        "#txt2img_subseed",
        "#txt2img_edit_style_prompt",
    ]
    assert [name for name in wanted if page.locator(name).count() != 1] == []
    assert page.evaluate("missingIds") == []


def test_nothing_is_wider_than_the_window(page):
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for tab in ("txt2img", "pnginfo", "settings"):
            page.click(f"#tab_{tab}-button")
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_chosen_with_the_button_stays(watched):
    page = watched(color_scheme="light")
    page.click("#toggle-theme")
    page.reload()
    page.wait_for_function("typeof formIsRecalled !== 'undefined' && formIsRecalled")
    page.wait_for_function("document.body.classList.contains('dark')")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_theme_follows_the_system(watched, scheme):
    page = watched(color_scheme=scheme)
    page.wait_for_function(f"document.body.classList.contains('dark') === {str(scheme == 'dark').lower()}")
