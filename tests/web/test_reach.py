"""What can be reached and seen on the page: by keys, by a small screen, over bright and dark pictures."""

import io
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.browser

WIDTHS = (1280, 1920, 390)
SHOW = """colour => {
    const canvas = newCanvas(512, 768);
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 512, 768);
    const pictures = [0, 1].map((number) => ({ url: `${canvas.toDataURL()}#${colour}${number}`, name: "a.png" }));
    const info = { infotexts: ["", ""] };
    showJob("txt2img", { id: colour, is_final: true, pictures, html: ["", ""], info, log: "" });
}"""


@pytest.fixture
def page(kept_page):
    kept_page.set_viewport_size({"width": 1280, "height": 800})
    kept_page.click("#tab_txt2img-button")
    return kept_page


def show_picture(page: Any, colour: str) -> None:
    page.evaluate(SHOW, colour)
    page.wait_for_function(
        "colour => document.querySelector('#txt2img_gallery [data-testid=detailed-image]')?.src.includes('#' + colour)",
        arg=colour,
    )


def contrast(lighter: float, darker: float) -> float:
    return (lighter + 0.05) / (darker + 0.05)


def luminances(picture: bytes) -> list[float]:
    """Relative luminances as WCAG 2 has them."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    pixels = Image.open(io.BytesIO(picture)).convert("RGB").get_flattened_data()
    return [
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) for red, green, blue in pixels
    ]


def check_button(page: Any, selector: str, least: int) -> None:
    """Its sign stands out from its ground, and it is large enough."""
    button = page.locator(selector).first
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert min(box["width"], box["height"]) >= least, selector
    seen = sorted(luminances(page.screenshot(clip=box)))
    ground = seen[len(seen) // 2]
    assert max(contrast(seen[-1], ground), contrast(ground, seen[0])) >= 4.5, selector


@pytest.mark.parametrize("colour", ["white", "black"])
@pytest.mark.parametrize(("width", "least"), [(1280, 32), (390, 44)])
def test_the_buttons_over_a_picture_are_seen_on_it_and_are_large_enough(page, colour, width, least):
    page.set_viewport_size({"width": width, "height": 800})
    show_picture(page, colour)
    check_button(page, "#txt2img_gallery .preview button[aria-label=Close]", least)
    page.click("#txt2img_gallery [data-testid=detailed-image]")
    page.wait_for_selector("#lightboxModal.open")
    for name in ("close", "save", "previous", "next"):
        check_button(page, f".lightbox-{name}", least)
    page.keyboard.press("Escape")
    page.wait_for_selector("#lightboxModal", state="hidden")


def focus_stays_inside(page: Any, selector: str, presses: int = 30) -> bool:
    for key in ("Tab", "Shift+Tab"):
        for _ in range(presses):
            page.keyboard.press(key)
            if not page.evaluate("selector => document.activeElement.matches(`${selector} *`)", selector):
                return False
    return True


def test_the_focus_stays_in_the_large_picture_and_goes_back_to_where_it_was(page):
    show_picture(page, "white")
    page.focus("#txt2img_gallery .media-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lightboxModal.open")
    assert focus_stays_inside(page, "#lightboxModal", presses=8)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('#txt2img_gallery .media-button')")
    assert page.locator("#txt2img_gallery .preview").is_visible()


def test_the_focus_stays_in_every_dialog_and_goes_back_to_where_it_was(page):
    dialogs = page.evaluate("Array.from(document.querySelectorAll('.dialog'), (dialog) => dialog.id)")
    assert {
        "txt2img_styles_dialog",
        "img2img_styles_dialog",
        "network_editor",
        "network_metadata_dialog",
    } == set(dialogs)
    for dialog in dialogs:
        tab = "img2img" if dialog.startswith("img2img") else "txt2img"
        page.click(f"#tab_{tab}-button")
        page.focus(f"#{tab}_generate")
        page.evaluate("id => openDialog(id)", dialog)
        assert focus_stays_inside(page, f"#{dialog}"), dialog
        page.evaluate("tab => byId(`${tab}_generate`).focus()", tab)  # as a script would
        assert page.evaluate("id => byId(id).contains(document.activeElement)", dialog)
        page.keyboard.press("Escape")
        page.wait_for_selector(f"#{dialog}", state="hidden")
        assert page.evaluate("document.activeElement.id") == f"{tab}_generate"


def is_seen(page: Any, selector: str) -> bool:
    """Whether its middle is in the window, with nothing over it."""
    return page.evaluate(
        """selector => {
            const place = document.querySelector(selector);
            const { left, top, width, height } = place.getBoundingClientRect();
            return place.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }""",
        selector,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_settings_can_be_searched_and_applied_wherever_the_page_is_scrolled_to(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.click("#tab_settings-button")
    page.fill("#settings_search", "e")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.wait_for_function("scrollY > 1000")
    assert is_seen(page, "#settings_submit")
    assert is_seen(page, "#settings_search")
    page.fill("#settings_search", "")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_generate_stays_in_view_on_a_phone(page, tab):
    page.set_viewport_size({"width": 390, "height": 800})
    page.click(f"#tab_{tab}-button")
    page.evaluate("tab => byId(`${tab}_seed_row`).scrollIntoView({ block: 'end' })", tab)
    page.wait_for_function("scrollY > 300")
    for name in ("generate", "interrupt", "skip"):
        assert is_seen(page, f"#{tab}_{name}"), name


def test_many_long_notes_of_a_job_are_all_there_within_the_page(page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate(
        """() => sayBelow("txt2img", Array.from({ length: 60 }, (_, number) =>
            `<p class="note">Note ${number}: ${"long".repeat(60)}</p>`).join(""))"""
    )
    last = page.locator("#html_log_txt2img .note").last
    last.scroll_into_view_if_needed()
    assert page.locator("#html_log_txt2img .scripts-place").bounding_box()["height"] <= 320
    assert last.bounding_box()["y"] < 800
    assert last.evaluate("note => note.scrollWidth <= note.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("sayBelow('txt2img', '')")


GREYED = """() => {
    const shade = (each) => (each ? getComputedStyle(each).opacity * shade(each.parentElement) : 1);
    const stops = Array.from(document.querySelectorAll("button, input, select, textarea, a[href], [tabindex]"));
    const reached = stops.filter((stop) => stop.getClientRects().length && !stop.disabled && !stop.closest("[inert]"));
    return reached.filter((stop) => shade(stop) > 0 && shade(stop) < 0.55).map((stop) => stop.id || stop.outerHTML.slice(0, 200));
}"""


def test_nothing_that_is_greyed_can_be_reached(page):
    for tab in ("txt2img", "extras", "pnginfo", "modelmerger", "queue", "settings"):
        page.click(f"#tab_{tab}-button")
        assert page.evaluate(GREYED) == [], tab
    for subtab in range(7):
        page.evaluate("number => switch_to_img2img_tab(number)", subtab)
        assert page.evaluate(GREYED) == [], subtab
    page.focus("#outpaint_bottom")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('[id]')?.id"))
    assert "img2img_steps" in page.evaluate(
        "ids => ids.map((id) => byId(id)?.closest('[id^=img2img_steps]')?.id)", list(reached)
    )
    assert not reached & {"img2img_width", "img2img_height", "img2img_res_switch_btn", "resize_mode"}
    page.evaluate("switch_to_img2img_tab(0)")
    page.focus("#img2img_width input[type=number]")
    assert page.evaluate("document.activeElement.closest('#img2img_width') !== null")
