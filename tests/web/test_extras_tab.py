"""The Extras tab: what the server makes of a picture and where it goes, and the tab as a person uses it."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.rest import create_api
from modules.web.extras_routes import extras_routes

TEXT = "a cat\nSteps: 1, Sampler: Euler, Seed: 1"


def png(size=(32, 24), text="", **arguments) -> bytes:
    texts, file = PngInfo(), io.BytesIO()
    if text:
        texts.add_text("parameters", text)
    Image.linear_gradient("L").convert("RGB").resize(size).save(file, "png", pnginfo=texts, **arguments)
    return file.getvalue()


@pytest.fixture(scope="module")
def api(house):
    app = FastAPI()
    create_api(app, house)
    app.include_router(extras_routes(house))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def extras(api, house, tmp_path):
    """Asks for a picture to be enlarged into a folder of its own; gives the answer."""

    def ask(picture: bytes = b"", settings=None, **values):
        house.change_settings({"outdir_extras_samples": str(tmp_path / "extras"), **(settings or {})})
        body = {"picture": base64.b64encode(picture or png()).decode(), "upscaler_1": "Lanczos", **values}
        return api.post("/internal/web/extras", json=body)

    before = house.store.options.model_dump()
    yield ask
    changed = ("outdir_extras_samples", "samples_format", "use_original_name_batch")
    house.change_settings({key: before[key] for key in changed})


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"upscaling_resize": 2}, (64, 48)),
        ({"resize_mode": 1, "upscaling_resize_w": 72, "upscaling_resize_h": 80}, (72, 80)),
        (
            {
                "resize_mode": 1,
                "upscaling_resize_w": 72,
                "upscaling_resize_h": 80,
                "upscaling_crop": False,
            },
            (106, 80),
        ),
        ({"upscaler_2": "Nearest", "extras_upscaler_2_visibility": 0.5}, (64, 48)),
    ],
)
def test_the_picture_is_saved_as_it_is_shown_with_its_old_text_and_what_was_done(extras, values, size):
    answer = extras(png(text=TEXT), **values).json()
    shown = base64.b64decode(answer["picture"].partition(",")[2])
    saved = Path(answer["saved"])
    assert saved.read_bytes() == shown
    assert (saved.parent.name, saved.name) == ("extras", "00000.png")
    with Image.open(saved) as picture:
        assert picture.size == size == tuple(answer["size"])
        assert picture.info["parameters"] == TEXT == answer["infotext"]
        assert picture.info["postprocessing"] == answer["told"]
    assert "Postprocess upscaler: Lanczos" in answer["told"]


@pytest.mark.parametrize(
    ("name", "of", "by_name", "file"),
    [
        ("holiday.webp", 3, True, "holiday.png"),
        ("holiday.webp", 1, True, "00000.png"),
        ("holiday.webp", 3, False, "00000.png"),
        ("../../[seed]\\..\\a:b.png", 2, True, "a_b.png"),
        ("", 2, True, "00000.png"),
    ],
)
def test_one_of_several_keeps_its_name_and_no_name_leads_out_of_the_folder(
    extras, tmp_path, name, of, by_name, file
):
    settings = {"use_original_name_batch": by_name}
    assert extras(name=name, of=of, settings=settings).json()["saved"] == str(tmp_path / "extras" / file)


def test_nothing_is_overwritten(extras):
    names = [Path(extras(name="same.png", of=2).json()["saved"]).name for _ in range(3)]
    assert names == ["same.png", "same-1.png", "same-2.png"]


def test_a_picture_that_lies_on_its_side_is_put_upright(extras):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert extras(png((40, 16), exif=exif)).json()["size"] == [32, 80]


def test_a_picture_of_sixteen_bits_keeps_its_greys(extras):
    file = io.BytesIO()
    Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)).save(file, "png")
    answer = extras(file.getvalue(), upscaler_1="None").json()
    with Image.open(answer["saved"]) as picture:
        assert np.array_equal(np.asarray(picture)[..., 0].ravel(), np.arange(256))


def test_a_picture_that_cannot_be_saved_is_shown_and_the_reason_said(extras, tmp_path):
    (tmp_path / "extras").write_text("a file where the folder should be")
    answer = extras().json()
    assert answer["saved"] is None
    assert str(tmp_path / "extras") in answer["unsaved"]
    assert answer["picture"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"picture": b"no picture"},
            "The file holds 10 bytes that are not a picture",
        ),
        ({"upscaler_1": "ESRGAN_9x"}, "There is no upscaler named 'ESRGAN_9x'"),
        ({"upscaling_resize": 9}, "upscaling_resize cannot be 9"),
        ({"resize_mode": 1, "upscaling_resize_w": 60_000, "upscaling_resize_h": 60_000}, "megapixels"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(extras, values, said):
    answer = extras(**values)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


@pytest.mark.browser
def test_pictures_are_enlarged_one_after_another_and_a_broken_one_stops_nothing(page, user_folder):
    page.click("#tab_extras-button")
    files = [("one.png", png()), ("broken.png", b"\x89PNG and nothing more"), ("two.png", png((24, 48)))]
    page.set_input_files(
        "#extras_files",
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files],
    )
    page.locator("#extras_upscaling_resize input[type=number]").fill("2")
    page.click("#extras_generate")
    page.wait_for_function(
        "/2 pictures\\. Took/.test(document.querySelector('#html_log_extras').textContent)"
    )
    log = page.inner_text("#html_log_extras")
    assert re.search(r"one\.png: .*64×48; saved as .*one\.png", log)
    assert "broken.png: The file holds" in page.inner_text("#html_log_extras .error")
    saved = user_folder / "outputs" / "extras-images"
    assert {"one.png", "two.png"} <= {path.name for path in saved.iterdir()}
    page.wait_for_selector("#extras_gallery [data-testid=detailed-image]")
    page.click("#extras_send_to_extras")
    page.wait_for_function("extrasPictures.length === 1")
    assert page.locator("#extras_image_batch li").count() == 1


@pytest.mark.browser
def test_interrupt_ends_the_row_of_pictures(page):
    page.click("#tab_extras-button")
    files = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": png()} for name in "ab"]
    page.set_input_files("#extras_files", files)
    page.route("**/internal/web/extras", lambda route: None)
    page.click("#extras_generate")
    page.click("#extras_interrupt")
    page.wait_for_function(
        "document.querySelector('#html_log_extras').textContent.includes('0 pictures. Interrupted')"
    )
    assert page.locator("#extras_interrupt").is_disabled()


@pytest.mark.browser
def test_generate_without_a_picture_says_what_is_missing(page):
    page.click("#tab_extras-button")
    page.click("#extras_generate")
    page.wait_for_selector(".notice.error")
    assert "no picture to enlarge" in page.inner_text(".notice.error")


@pytest.mark.browser
def test_nothing_on_the_tab_is_wider_than_a_phone_and_the_form_is_there_after_a_reload(watched):
    page = watched(viewport={"width": 390, "height": 800})
    page.click("#tab_extras-button")
    page.set_input_files(
        "#extras_files", [{"name": "wide.png", "mimeType": "image/png", "buffer": png((900, 20))}]
    )
    page.wait_for_selector("#extras_image_batch img")
    page.get_by_role("radio", name="Scale to").check()
    page.locator("#extras_upscaling_resize_w input[type=number]").fill("640")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_function("localGet('easel.form.extras')?.upscaling_resize_w === 640")
    page.reload()
    page.wait_for_function("document.querySelector('#extras_upscaling_resize_w input')?.value === '640'")
    page.click("#tab_extras-button")
    page.wait_for_selector("#extras_scale_to_tab:not(.hidden-page)")
