"""The Queue tab in a real browser: what waits is moved, changed, taken back, repeated; what is past is looked at."""

import json
import re
import urllib.request

import pytest

from tests.trials.asking import until

pytestmark = pytest.mark.browser

WAITING = "#queue_waiting .queue-job"
PAST = "#queue_past .queue-job"


def call(server, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(f"{server}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")


@pytest.fixture
def empty_queue(server):
    """The queue is paused and has no past, before any page could ask for the pictures of a past job."""
    call(server, "POST", "/easel/v1/queue/pause", {})
    call(server, "DELETE", "/easel/v1/jobs")


@pytest.fixture
def queue(kept_page, empty_queue, server):
    """The tab, opened on such a queue."""
    page = kept_page
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.click("#tab_queue-button")
    page.wait_for_function(f"!document.querySelector('{WAITING}, {PAST}')")
    page.wait_for_function("document.querySelector('#queue_pause').textContent.startsWith('Resume')")
    yield page
    for job in call(server, "GET", "/easel/v1/queue")["waiting"]:
        call(server, "POST", f"/easel/v1/jobs/{job}/cancel", {})
    call(server, "POST", "/sdapi/v1/interrupt")
    call(server, "POST", "/easel/v1/queue/resume", {})


def send(server, prompt, **more):
    request = {"prompt": prompt, "steps": 1, "width": 64, "height": 64, "seed": 5, **more}
    return call(server, "POST", "/easel/v1/jobs", {"request": request})["id"]


def prompts(page, rows=WAITING):
    return [row.inner_text() for row in page.locator(f"{rows} .queue-prompt").all()]


def wait_for_prompts(page, wanted, rows=WAITING):
    page.wait_for_function(
        "([rows, wanted]) => JSON.stringify(Array.from(document.querySelectorAll(`${rows} .queue-prompt`), "
        "(each) => each.textContent)) === JSON.stringify(wanted)",
        arg=[rows, wanted],
    )


def order_of_the_server(server):
    jobs = [
        call(server, "GET", f"/easel/v1/jobs/{job}")
        for job in call(server, "GET", "/easel/v1/queue")["waiting"]
    ]
    return [job["request"]["prompt"] for job in jobs]


def row(page, prompt, rows=WAITING):
    return page.locator(rows).filter(has=page.get_by_text(prompt, exact=True))


def choose(row, action):
    """Press what is in a job's menu."""
    row.locator("summary").click()
    row.locator(f".queue-menu [data-action={action}]").click()


def resume(page):
    page.click("#queue_pause")
    page.wait_for_function("document.querySelector('#queue_pause').textContent.startsWith('Pause')")


def test_an_empty_queue_says_so(queue):
    assert "Nothing runs" in queue.inner_text("#queue_running")
    assert "Nothing waits" in queue.inner_text("#queue_waiting")
    assert not queue.locator("#queue_held").is_visible()


def test_waiting_jobs_are_moved_by_buttons_by_the_menu_by_keys_and_by_the_mouse(queue, server):
    for name in ("one", "two", "three", "four"):
        send(server, name)
    wait_for_prompts(queue, ["one", "two", "three", "four"])
    row(queue, "three").locator("[data-action=up]").click()
    wait_for_prompts(queue, ["one", "three", "two", "four"])
    choose(row(queue, "four"), "top")
    wait_for_prompts(queue, ["four", "one", "three", "two"])
    row(queue, "one").focus()
    queue.keyboard.press("Alt+ArrowDown")
    wait_for_prompts(queue, ["four", "three", "one", "two"])
    assert queue.evaluate("document.activeElement.innerText.includes('one')")
    row(queue, "two").locator(".queue-prompt").drag_to(row(queue, "four"), target_position={"x": 60, "y": 4})
    wait_for_prompts(queue, ["two", "four", "three", "one"])
    queue.wait_for_function("document.querySelector('#queue_live').textContent.includes('number 1')")
    queue.reload()
    queue.wait_for_function("typeof formIsRecalled !== 'undefined' && formIsRecalled")
    queue.click("#tab_queue-button")
    wait_for_prompts(queue, ["two", "four", "three", "one"])
    assert order_of_the_server(server) == ["two", "four", "three", "one"]


def test_a_job_of_higher_priority_goes_first(queue, server):
    send(server, "usual")
    send(server, "urgent")
    wait_for_prompts(queue, ["usual", "urgent"])
    choose(row(queue, "urgent"), "sooner")
    wait_for_prompts(queue, ["urgent", "usual"])
    queue.get_by_text("priority +1").wait_for()


def test_a_waiting_job_is_cancelled_duplicated_and_what_ended_is_tried_again_and_removed(queue, server):
    send(server, "kept")
    send(server, "given up")
    wait_for_prompts(queue, ["kept", "given up"])
    row(queue, "given up").locator("[data-action=cancel]").click()
    wait_for_prompts(queue, ["kept"])
    wait_for_prompts(queue, ["given up"], PAST)
    choose(row(queue, "kept"), "duplicate")
    wait_for_prompts(queue, ["kept", "kept"])
    row(queue, "given up", PAST).locator("[data-action=retry]").click()
    wait_for_prompts(queue, ["kept", "kept", "given up"])
    choose(row(queue, "given up", PAST), "forget")
    wait_for_prompts(queue, [], PAST)


def test_a_resumed_queue_runs_and_its_pictures_stand_among_the_past_jobs(queue, server):
    send(server, "a pair", batch_size=2)
    wait_for_prompts(queue, ["a pair"])
    resume(queue)
    wait_for_prompts(queue, ["a pair"], PAST)
    done = row(queue, "a pair", PAST)
    done.locator(".queue-thumb img").nth(1).wait_for()
    assert "Done" in done.inner_text()
    assert "seed 5" in done.inner_text()
    assert "from the API, 127.0.0.1" in done.inner_text()
    queue.wait_for_function(
        "Array.from(document.querySelectorAll('#queue_past img')).every((each) => each.naturalWidth)"
    )
    done.locator(".queue-thumb").first.click()
    queue.wait_for_selector("#lightboxModal.open")
    queue.wait_for_function("document.querySelector('#modalImage').naturalWidth >= 64")
    queue.keyboard.press("Escape")
    queue.once("dialog", lambda dialog: dialog.accept())
    queue.click("#queue_clear")
    wait_for_prompts(queue, [], PAST)
    assert "No job has ended yet" in queue.inner_text("#queue_past")


def test_what_was_deleted_or_forgotten_meanwhile_is_no_error_of_the_page(queue, server, user_folder):
    queue.click("#tab_txt2img-button")
    request = {"prompt": "kept", "steps": 1, "width": 64, "height": 64, "save_images": True}
    made = call(server, "POST", "/easel/v1/jobs", {"request": request})
    call(server, "POST", "/easel/v1/queue/resume", {})
    until(lambda: (job := call(server, "GET", made["url"]))["state"] == "done" and job, every=0.1)
    (picture,) = call(server, "GET", made["url"])["pictures"]
    (user_folder / picture["path"]).unlink()
    queue.click("#tab_queue-button")
    queue.wait_for_selector(f"{PAST} .queue-thumb:disabled")
    queue.evaluate("id => fetchJobs(['task(long ago)', id])", made["id"])
    assert queue.evaluate("queueJobs.has('task(long ago)')") is False


def test_a_running_job_shows_its_progress_and_is_interrupted(queue, server):
    send(server, "long", steps=150, n_iter=40, width=128, height=128)
    resume(queue)
    running = "#queue_running .queue-job"
    queue.wait_for_selector(running)
    queue.wait_for_function(
        "/[1-9]\\d*%.*step/.test(document.querySelector('#queue_running .queue-state')?.textContent)"
    )
    queue.wait_for_function("document.querySelector('#queue_running .queue-preview')?.naturalWidth > 0")
    queue.click(f"{running} [data-action=interrupt]")
    wait_for_prompts(queue, ["long"], PAST)
    assert "Interrupted" in queue.inner_text(PAST)


def test_a_failed_job_says_why(queue, server, user_folder):
    (user_folder / "models" / "Stable-diffusion" / "broken.safetensors").write_bytes(b"not a model")
    call(server, "POST", "/sdapi/v1/refresh-checkpoints", {})
    send(server, "fails", override_settings={"sd_model_checkpoint": "broken.safetensors"})
    resume(queue)
    wait_for_prompts(queue, ["fails"], PAST)
    assert "broken.safetensors" in queue.inner_text(f"{PAST} .queue-error")


def test_a_waiting_job_is_edited_in_the_form_which_gets_back_what_stood_there(queue, server):
    job = send(server, "a cat", seed=11, override_settings={"CLIP_stop_at_last_layers": 2})
    queue.click("#tab_txt2img-button")
    queue.locator("#txt2img_prompt textarea").fill("my own words")
    queue.wait_for_function("(localStorage.getItem('easel.form.txt2img') ?? '').includes('my own words')")
    queue.click("#tab_queue-button")
    wait_for_prompts(queue, ["a cat"])
    queue.click(f"{WAITING} [data-action=edit]")
    queue.wait_for_function("getText('txt2img_prompt') === 'a cat'")
    queue.wait_for_function("getText('txt2img_seed') === '11'")
    assert "CLIP_stop_at_last_layers: 2" in queue.inner_text("#txt2img_override_settings")
    assert queue.locator("#txt2img_editing_bar").is_visible()
    queue.locator("#txt2img_prompt textarea").fill("a dog")
    queue.click("#txt2img_save_edit")
    wait_for_prompts(queue, ["a dog"])
    queue.wait_for_function("getText('txt2img_prompt') === 'my own words'")
    assert not queue.locator("#txt2img_editing_bar").is_visible()
    changed = call(server, "GET", f"/easel/v1/jobs/{job}")
    assert (changed["state"], changed["request"]["prompt"], changed["request"]["seed"]) == (
        "waiting",
        "a dog",
        11,
    )
    assert changed["request"]["override_settings"] == {"CLIP_stop_at_last_layers": 2}


def test_parameters_of_a_job_are_sent_back_to_the_form(queue, server):
    send(server, "a boat", seed=21, steps=3, cfg_scale=4.5, sampler_name="DDIM", enable_hr=True, hr_scale=1.5)
    wait_for_prompts(queue, ["a boat"])
    choose(row(queue, "a boat"), "sendBack")
    queue.wait_for_function("getText('txt2img_prompt') === 'a boat' && getText('txt2img_seed') === '21'")
    assert queue.locator("#tab_txt2img").is_visible()
    assert queue.locator("#txt2img_sampling input").input_value() == "DDIM"
    assert queue.locator("#txt2img_hr_scale input[type=number]").input_value() == "1.5"
    assert queue.locator("#txt2img_hr-checkbox input").is_checked()


def test_foreign_text_stays_text(queue, server):
    hostile = "<img src=x onerror=\"document.title='stolen'\"><b>bold</b>"
    send(server, hostile)
    wait_for_prompts(queue, [hostile])
    assert queue.locator(f"{WAITING} b").count() == 0
    assert queue.title() != "stolen"


def test_two_browsers_see_the_same_jobs(queue, server, watched):
    other = watched()
    other.click("#tab_queue-button")
    send(server, "seen by both")
    for page in (queue, other):
        wait_for_prompts(page, ["seen by both"])
    other.click(f"{WAITING} [data-action=cancel]")
    wait_for_prompts(queue, [])


def test_hundreds_of_jobs_are_shown_a_page_at_a_time(queue, server):
    for number in range(120):
        send(server, f"number {number}")
    queue.wait_for_function("document.querySelector('#queue_summary').textContent.includes('120 waiting')")
    queue.wait_for_function("document.querySelectorAll('#queue_waiting .queue-job').length === 50")
    queue.click("#queue_waiting_more")
    queue.wait_for_function("document.querySelectorAll('#queue_waiting .queue-job').length === 120")
    assert prompts(queue)[119] == "number 119"
    assert queue.locator("#tab_queue-button").get_attribute("data-count") == "120"


def test_past_jobs_are_paged(queue, server):
    for number in range(25):
        call(server, "POST", f"/easel/v1/jobs/{send(server, f'past {number}')}/cancel", {})
    queue.wait_for_function(f"document.querySelectorAll('{PAST}').length === 20")
    queue.click("#queue_past_more")
    queue.wait_for_function(f"document.querySelectorAll('{PAST}').length === 25")
    assert prompts(queue, PAST)[::24] == ["past 24", "past 0"]
    assert not queue.locator("#queue_past_more").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_on_the_tab_is_wider_than_the_window(queue, server, width):
    send(server, "a very long word " + "x" * 300)
    queue.set_viewport_size({"width": width, "height": 800})
    queue.wait_for_selector(WAITING)
    assert queue.evaluate("document.documentElement.scrollWidth") <= width
    assert queue.evaluate(
        "Array.from(document.querySelectorAll('#queue button')).every((each) => "
        "each.getBoundingClientRect().right <= innerWidth)"
    )


def test_a_verified_picture_is_said_to_have_the_same_bits(queue, server):
    resume(queue)
    queue.click("#tab_txt2img-button")
    for name, value in {"steps": 2, "width": 64, "height": 64, "seed": 9, "batch_count": 1}.items():
        queue.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    queue.click("#txt2img_generate")
    queue.wait_for_function("shownJobs.txt2img?.is_final && shownJobs.txt2img.info.seed === 9")
    queue.click("#txt2img_verify")
    queue.wait_for_selector("#txt2img_verdict [data-kind='same bits']")
    assert re.match("The same bits", queue.inner_text("#txt2img_verdict .verdict"))


def test_a_picture_on_png_info_is_verified_and_one_without_a_record_cannot_be(page, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "teal").save(tmp_path / "plain.png")
    page.click("#tab_pnginfo-button")
    page.set_input_files("#pnginfo_image input[type=file]", tmp_path / "plain.png")
    page.wait_for_selector("#pnginfo_image img")
    page.click("#pnginfo_verify")
    page.wait_for_selector("#pnginfo_verdict [data-kind=cannot]")
    assert len(page.inner_text("#pnginfo_verdict .verdict")) > 20
