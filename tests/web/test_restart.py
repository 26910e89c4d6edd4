"""The program is killed and started again under an open page: the page says so, and goes on."""

import json
import urllib.request

import pytest

pytestmark = pytest.mark.browser


def get(program, path):
    with urllib.request.urlopen(f"{program.address}{path}", timeout=60) as answer:
        return json.loads(answer.read())


def write(page, prompt):
    page.locator("#txt2img_prompt textarea").fill(prompt)


def generate_long(page, prompt):
    """Begin a job of several pictures, and wait for its first."""
    for name, value in {"steps": 30, "width": 128, "height": 128, "seed": 7, "batch_count": 4}.items():
        page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    write(page, prompt)
    page.click("#txt2img_generate")
    page.wait_for_function(
        "shownJobs.txt2img && !shownJobs.txt2img.is_final && shownJobs.txt2img.pictures.length >= 1"
    )


def wait_until_away(page):
    page.wait_for_function("document.querySelector('#connection_line').classList.contains('shown')")
    assert "does not answer" in page.inner_text("#connection_line")


def wait_until_back(page):
    page.wait_for_function("!document.querySelector('#connection_line').classList.contains('shown')")


def wait_for_pictures(page, count):
    """Until that many are in the gallery of a job that has ended, and nothing is under way."""
    page.wait_for_function(
        "count => shownJobs.txt2img?.is_final && taskQueues.txt2img.tasks.length === 0 "
        "&& galleryPictures('txt2img').length === count",
        arg=count,
        timeout=180_000,
    )


def test_the_page_follows_the_job_that_goes_on_and_what_was_sent_meanwhile_is_made(make_program, open_page):
    program = make_program()
    page = open_page(program)
    generate_long(page, "begun before")
    page.evaluate("window.sameDocument = true")
    program.kill()
    wait_until_away(page)
    write(page, "sent while it was away")
    page.locator("#txt2img_batch_count input[type=number]").fill("1")
    page.click("#txt2img_generate")
    write(page, "typed while it was away")
    program.start()
    wait_until_back(page)
    page.wait_for_function(
        "shownJobs.txt2img?.is_final && shownJobs.txt2img.info.infotexts[0].includes('begun before')",
        timeout=180_000,
    )
    assert page.evaluate("shownJobs.txt2img.pictures.length") == 5
    wait_for_pictures(page, 1)
    assert "sent while it was away" in page.inner_text("#html_info_txt2img")
    assert page.evaluate("getText('txt2img_prompt')") == "typed while it was away"
    assert page.evaluate("window.sameDocument") is True
    past = get(program, "/easel/v1/jobs")["jobs"]
    assert [(job["state"], job["request"]["prompt"]) for job in past] == [
        ("done", "sent while it was away"),
        ("done", "begun before"),
    ]


def test_jobs_that_were_left_wait_for_a_word_where_the_setting_says_so(make_program, open_page):
    program = make_program(resume_jobs_at_start="Ask")
    page = open_page(program)
    generate_long(page, "left behind")
    program.kill()
    wait_until_away(page)
    program.start()
    wait_until_back(page)
    page.wait_for_function("document.querySelector('.progress-text')?.textContent.includes('Queue tab')")
    page.click("#tab_queue-button")
    page.wait_for_selector("#queue_held .queue-job")
    assert "1 job was left when the program ended" in page.inner_text("#queue_held_line")
    assert "left behind" in page.inner_text("#queue_held")
    page.click("[data-queue=release]")
    page.wait_for_selector("#queue_held_line", state="hidden")
    wait_for_pictures(page, 5)


def test_a_page_that_gradio_loads_anew_after_a_lost_event_keeps_what_was_typed(make_program, open_page):
    program = make_program()
    page = open_page(program)
    page.evaluate("window.sameDocument = true")
    program.kill()
    wait_until_away(page)
    page.click("#refresh_sd_model_checkpoint")
    page.wait_for_timeout(1000)
    write(page, "typed when Gradio had given up")
    page.locator("#txt2img_steps input[type=number]").fill("33")
    program.start()
    page.wait_for_function("!window.sameDocument && typeof formIsRecalled !== 'undefined' && formIsRecalled")
    page.wait_for_function("getText('txt2img_prompt') === 'typed when Gradio had given up'")
    assert page.locator("#txt2img_steps input[type=number]").input_value() == "33"
