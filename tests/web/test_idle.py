"""What the page costs: what is sent for it, and what it does while nothing happens."""

import pytest

pytestmark = pytest.mark.browser

COUNT_WAKES = """
const asked = window.requestAnimationFrame;
const delayed = window.setTimeout;
window.wakes = [];
window.setTimeout = function () {
    window.wakes.push(performance.now());
    return delayed.apply(window, arguments);
};
window.requestAnimationFrame = function (callback) {
    window.wakes.push(performance.now());
    return asked.call(window, callback);
};
"""
# Frames and timers that were asked for in the last two seconds.
POLLING_MS = 2500  # longer than what is looked at: playwright's own timer is one too
QUIET = "window.wakes.filter((asked) => asked > performance.now() - 2000).length <= 1"


def test_a_page_that_nobody_touches_draws_no_frames_sets_no_timers_and_wakes_when_somebody_paints(
    chromium, server
):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(COUNT_WAKES)
    page.goto(server)
    page.wait_for_function("typeof formIsRecalled !== 'undefined' && formIsRecalled")
    page.wait_for_function(QUIET, polling=POLLING_MS)
    page.click("#tab_img2img-button")
    page.evaluate("switch_to_img2img_tab(2)")
    page.evaluate("pictureWells.inpaint.putBlank()")
    page.wait_for_selector("#img2maskimg canvas")
    page.wait_for_function("pictureWells.inpaint.isShown")
    page.wait_for_function(QUIET, polling=POLLING_MS)
    page.hover("#img2maskimg canvas")
    page.mouse.down()
    page.mouse.move(700, 420, steps=4)
    page.mouse.up()
    page.wait_for_function("pictureWells.inpaint.held.drawing !== null")
    page.wait_for_function(QUIET, polling=POLLING_MS)
    context.close()
