"""Pictures that calls give: masks, odd sizes, transparency, and what too many or too large ones cost."""

import asyncio
import base64
import io
import json
import resource
import threading

import numpy as np
import pytest
from PIL import Image

from modules.errors import TooBusy
from modules.slow_work import SlowWork

TINY = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler",
        "override_settings": {"sd_model_checkpoint": "tiny-sd1"}}  # fmt: skip


def encoded(image: Image.Image, kind: str = "PNG", **arguments) -> str:
    file = io.BytesIO()
    image.save(file, kind, **arguments)
    return base64.b64encode(file.getvalue()).decode()


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def redraw(client):
    """A function from the values of a request to the answer of img2img."""

    def redraw(**values):
        return client.post("/sdapi/v1/img2img", json={**TINY, **values})

    return redraw


def drawn(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text[:300]
    return np.asarray(opened(answer.json()["images"][0]).convert("RGB"), dtype=int)


@pytest.mark.parametrize("only_masked", [True, False])
@pytest.mark.parametrize("invert", [0, 1])
def test_under_a_mask_that_masks_nothing_the_picture_comes_back_with_a_note(redraw, only_masked, invert):
    picture, mask = noise(64, 64), Image.new("L", (64, 64), 255 * invert)
    answer = redraw(
        init_images=[encoded(picture)], mask=encoded(mask), inpaint_full_res=only_masked,
        inpainting_mask_invert=invert,
    )  # fmt: skip
    assert np.array_equal(drawn(answer), np.asarray(picture))
    assert [note for note in json.loads(answer.json()["info"])["notes"] if "masks nothing" in note]


def test_a_transparent_mask_changes_what_is_opaque_in_it_and_no_more(redraw):
    picture, alpha = noise(64, 64), Image.new("L", (64, 64))
    alpha.paste(255, (16, 16, 48, 48))
    mask = Image.merge("LA", [Image.new("L", (64, 64), 255), alpha])
    made = drawn(
        redraw(init_images=[encoded(picture)], mask=encoded(mask), mask_blur=0, inpaint_full_res=False)
    )
    changed = (made != np.asarray(picture)).any(axis=2)
    assert not changed[np.asarray(alpha) == 0].any()
    assert changed.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("only_masked", [True, False])
@pytest.mark.parametrize(
    ("side", "blur", "checkpoint"),
    [(8, 4, "tiny-sd1"), (10, 0, "tiny-sd1"), (2, 30, "tiny-sd1"), (8, 4, "tiny-sd1-inpainting")],
)
def test_a_little_mask_draws_another_picture_for_another_seed(redraw, only_masked, checkpoint, side, blur):
    picture, mask = noise(128, 128), Image.new("L", (128, 128))
    mask.paste(255, (61, 61, 61 + side, 61 + side))
    values = {
        "init_images": [encoded(picture)], "mask": encoded(mask), "mask_blur": blur, "width": 128, "height": 128,
        "inpaint_full_res": only_masked, "override_settings": {"sd_model_checkpoint": checkpoint},
    }  # fmt: skip
    first, second = (drawn(redraw(**values, seed=seed)) for seed in (1, 2))
    inside = np.asarray(mask) > 0
    assert (first != second)[inside].any()
    assert (first != np.asarray(picture))[inside].any()


@pytest.mark.parametrize("size", [(4, 64), (64, 7), (1, 1)])
def test_a_picture_of_less_than_a_latent_cell_is_refused_where_it_is_encoded_as_it_is(redraw, size):
    answer = redraw(init_images=[encoded(noise(*size))], resize_mode=3)
    assert answer.status_code == 422
    assert (answer.json()["field"], f"{size[0]}x{size[1]}" in answer.json()["detail"]) == (
        "resize_mode",
        True,
    )


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [(8, 8), (1, 3), (1, 4000), (4000, 2)])
@pytest.mark.parametrize("masked", [False, True])
def test_pictures_of_any_shape_are_drawn_or_refused_with_a_sentence(redraw, mode, size, masked):
    mask = {"mask": encoded(Image.new("L", size, 255)), "inpaint_full_res": False} if masked else {}
    answer = redraw(init_images=[encoded(noise(*size))], resize_mode=mode, **mask)
    if mode == 3 and min(size) < 8:
        assert answer.status_code == 422, answer.text[:300]
    else:
        assert drawn(answer).shape == (64, 64, 3)


def test_a_picture_that_covers_the_size_many_times_over_takes_no_memory_for_what_is_cut_off(redraw):
    thin = encoded(Image.new("RGB", (1, 65_000), "red"))
    before = peak()
    made = drawn(redraw(init_images=[thin], resize_mode=1, width=512, height=64, denoising_strength=0.1))
    assert made.shape == (64, 512, 3)
    assert peak() - before < 400


# Extras.


@pytest.mark.parametrize("route", ["single", "batch"])
@pytest.mark.parametrize("upscaler", ["Lanczos", "Nearest", "None"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_extras_keeps_what_can_be_seen_through_and_the_size(client, route, upscaler, mode):
    picture = Image.new("RGBA", (30, 31), "red")
    picture.putalpha(Image.linear_gradient("L").resize((30, 31)).point(lambda level: level // 128 * 255))
    given = picture.convert("LA") if mode == "LA" else picture
    text = encoded(given.quantize(32) if mode == "P" else given)
    call = {"upscaler_1": upscaler, "upscaling_resize": 1}
    if route == "single":
        answer = client.post("/sdapi/v1/extra-single-image", json={"image": text, **call}).json()["image"]
    else:
        sent = [{"data": text, "name": "a.png"}]
        answer = client.post("/sdapi/v1/extra-batch-images", json={"imageList": sent, **call}).json()[
            "images"
        ][0]
    made = opened(answer)
    assert (made.mode, made.size) == ("RGBA", (30, 31))
    assert np.array_equal(np.asarray(made)[..., 3], np.asarray(picture)[..., 3])


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"upscaling_resize": 1.5}, (45, 46)),
        ({"upscaling_resize": 1.15, "size": (20, 20)}, (23, 23)),
        ({"upscaling_resize": 2, "size": (1, 1)}, (2, 2)),
        ({"upscaling_resize": 1, "size": (7, 3)}, (7, 3)),
        ({"resize_mode": 1, "upscaling_resize_w": 45, "upscaling_resize_h": 33}, (45, 33)),
        ({"resize_mode": 1, "upscaling_resize_w": 3, "upscaling_resize_h": 5}, (3, 5)),
        (
            {"resize_mode": 1, "upscaling_resize_w": 60, "upscaling_resize_h": 62, "upscaling_crop": False},
            (60, 62),
        ),
    ],
)
def test_extras_gives_the_size_that_is_asked_for(client, values, size):
    given = noise(*values.pop("size", (30, 31)), 4)
    call = {"image": encoded(given), "upscaler_1": "Lanczos", **values}
    answer = client.post("/sdapi/v1/extra-single-image", json=call)
    assert answer.status_code == 200, answer.text[:300]
    made = opened(answer.json()["image"])
    assert (made.mode, made.size) == ("RGBA", size)


def test_grey_of_sixteen_bits_is_enlarged_at_its_levels(client):
    grey = Image.fromarray(np.full((9, 9), 32_896, np.uint16))
    call = {"image": encoded(grey), "upscaler_1": "Lanczos", "upscaling_resize": 1}
    made = opened(client.post("/sdapi/v1/extra-single-image", json=call).json()["image"])
    assert (made.size, made.getpixel((4, 4))) == ((9, 9), (128, 128, 128))


# What pictures cost.


def peak() -> int:
    """MB that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@pytest.fixture(scope="module")
def large() -> str:
    """A small AVIF of a hundred megapixels."""
    small = io.BytesIO()
    Image.new("L", (64, 64)).save(small, "AVIF", speed=10)
    data = small.getvalue()
    at = data.index(b"ispe") + 8
    return base64.b64encode(data[:at] + (9990).to_bytes(4, "big") * 2 + data[at + 8 :]).decode()


@pytest.mark.parametrize("kind", ["AVIF", "PNG", "JPEG"])
def test_too_much_is_refused_before_one_picture_is_unpacked(client, redraw, large, kind):
    text = large if kind == "AVIF" else encoded(Image.new("1" if kind == "PNG" else "RGB", SIZES[kind]), kind)
    before = peak()
    sent = [{"data": text, "name": "a"}] * 4
    call = {"imageList": sent, "upscaling_resize": 8, "upscaler_1": "Lanczos"}
    assert client.post("/sdapi/v1/extra-batch-images", json=call).status_code == 422
    assert client.post("/sdapi/v1/extra-batch-images", json={"imageList": sent}).status_code == 422
    answer = redraw(init_images=[text] * 3)
    assert (answer.status_code, "3 pictures for a batch of 1" in answer.json()["detail"]) == (422, True)
    assert redraw(init_images=[text] * 4, batch_size=4).status_code == 422
    assert peak() - before < 40


SIZES = {"PNG": (9990, 9990), "JPEG": (9990, 9990)}


def test_long_work_waits_in_no_thread_that_answers_and_too_much_is_sent_away():
    async def several() -> None:
        work, leave, begun = SlowWork("tests", threads=1, most=3), threading.Event(), threading.Event()

        def hold() -> int:
            begun.set()
            assert leave.wait(30)
            return 7

        running = asyncio.create_task(work.run(hold))
        waiting = [asyncio.create_task(work.run(int, "8")) for _ in range(2)]
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(TooBusy, match="3 calls wait already for tests"):
            await work.run(int, "9")
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        assert work.taken == 2
        leave.set()
        assert (await running, await waiting[1]) == (7, 8)
        work.close()

    asyncio.run(several())


def test_who_comes_when_too_many_wait_is_told_when_to_come_again(client, house, monkeypatch):
    monkeypatch.setattr(house.enlarging, "_taken", 100)
    answer = client.post("/sdapi/v1/extra-single-image", json={"image": encoded(noise(8, 8))})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert client.get("/sdapi/v1/samplers").status_code == 200
