"""Luma and chroma apart: each changes as far as it may, and nothing else does."""

import base64
import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import make_order, parse_img2img
from modules.generation.apart import chroma_projector
from modules.imaging import blend_luma_chroma, lab_of_pixels
from modules.infotext import read_infotext, to_request_values
from modules.sampling import Direction

from .drawing import TINY, Recorder, pixels


def noise(width: int, height: int, seed: int = 0, low: int = 40, high: int = 216) -> Image.Image:
    values = np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def lab(image) -> np.ndarray:
    return lab_of_pixels(np.asarray(image, dtype=np.uint8)).astype(float)


def chroma(values: np.ndarray) -> np.ndarray:
    return np.hypot(values[..., 1], values[..., 2])


def away(image, start) -> tuple[float, float]:
    """Mean distance in lightness, and in colour (the plane of a* and b*)."""
    apart = lab(image) - lab(start)
    return float(np.abs(apart[..., 0]).mean()), float(chroma(apart).mean())


@pytest.fixture
def redraw(house):
    """A function from a picture and request values to the first picture made of it, as an array."""

    def redraw(image, checkpoint="tiny-sd1", settings=None, made=None, **values):
        texts = {"init_images": [encoded(image)]}
        request = parse_img2img({**TINY, "denoising_strength": 1.0, **texts, **values})
        options = house.store.options.overridden({"sd_model_checkpoint": checkpoint, **(settings or {})})
        result = house.engine.make(house.engine.plan(request, options, house.styles), Recorder())
        return pixels(result)[0] if made is None else made(result)

    return redraw


def grey_cat() -> Image.Image:
    """A drawing in shades of grey: a ball with ears and eyes on light paper."""
    y, x = np.mgrid[0:128, 0:128]
    shades = np.full((128, 128), 225, np.uint8)
    shades[((x - 64) ** 2 + (y - 70) ** 2) < 44**2] = 150
    shades[(abs(x - 34) < (y - 14) / 3) & (y < 50)] = 150
    shades[(abs(x - 94) < (y - 14) / 3) & (y < 50)] = 150
    for centre in (48, 80):
        shades[((x - centre) ** 2 + (y - 62) ** 2) < 36] = 30
    return Image.fromarray(shades).convert("RGB")


def test_a_grey_drawing_is_coloured_and_its_lines_stay(redraw):
    """What issue 4 asks for in figures: L* within 2 on average, mean chroma more than 10 away."""
    start = grey_cat()
    made = redraw(
        start, "easel-emoji", prompt="a cat face", steps=8, width=128, height=128, luma_strength=0.0,
        chroma_strength=1.0,
    )  # fmt: skip
    lightness, _ = away(made, start)
    assert lightness < 0.5
    assert abs(chroma(lab(made)).mean() - chroma(lab(start)).mean()) > 10


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M", "DDIM", "UniPC", "LCM"])
def test_lightness_stays_with_every_kind_of_sampler(redraw, sampler):
    start = noise(64, 64)
    lightness, colour = away(redraw(start, sampler_name=sampler, luma_strength=0.0), start)
    assert lightness < 0.5
    assert colour > 10


def test_colours_stay_where_the_lightness_leaves_room_for_them(redraw):
    start = noise(64, 64)
    made = redraw(start, chroma_strength=0.0)
    apart = lab(made) - lab(start)
    assert np.abs(apart[..., 0]).mean() > 5
    kept = chroma(apart) < 3
    assert kept.mean() > 0.5
    # Elsewhere no screen has the colour at the new lightness: hue stays, it pales.
    assert (chroma(lab(made))[~kept] < chroma(lab(start))[~kept]).all()


def test_grey_stays_grey_when_no_colour_may_change(redraw):
    start = noise(64, 64).convert("L").convert("RGB")
    assert chroma(lab(redraw(start, chroma_strength=0.0))).max() < 1


@pytest.mark.parametrize(
    "values", [{"luma_strength": 1, "chroma_strength": 1}, {"luma_strength": 0.6}, {"chroma_strength": 0.6}]
)
def test_limits_that_bind_nothing_change_no_bit(redraw, values):
    start = noise(64, 64)
    assert np.array_equal(
        redraw(start, denoising_strength=0.6, steps=5, **values),
        redraw(start, denoising_strength=0.6, steps=5),
    )


def test_the_one_that_is_not_given_goes_as_far_as_the_denoising_strength(redraw):
    start = noise(64, 64)
    given = redraw(start, denoising_strength=0.8, luma_strength=0.2, steps=5)
    both = redraw(start, denoising_strength=0.8, luma_strength=0.2, chroma_strength=0.8, steps=5)
    assert np.array_equal(given, both)


def test_more_freedom_is_more_change_without_jumps(redraw):
    start = noise(64, 64)
    made = [redraw(start, luma_strength=share, steps=6) for share in (0.0, 0.3, 0.31, 0.6, 1.0)]
    lightness = [away(each, start)[0] for each in made]
    assert lightness == sorted(lightness)
    assert away(made[1], made[2])[0] < 0.1 * lightness[-1]


@pytest.mark.parametrize("only_masked", [False, True])
@pytest.mark.parametrize("content", [0, 1, 2, 3])
def test_with_a_mask_the_rest_stays_to_the_bit(redraw, only_masked, content):
    start, mask = noise(64, 64), Image.new("L", (64, 64))
    mask.paste(255, (16, 20, 52, 44))
    made = redraw(
        start, mask=encoded(mask), mask_blur=0, inpaint_full_res=only_masked, inpainting_fill=content,
        luma_strength=0.0,
    )  # fmt: skip
    inside = np.asarray(mask) > 0
    assert np.array_equal(made[~inside], np.asarray(start)[~inside])
    assert np.abs(lab(made) - lab(start))[inside][:, 0].mean() < 0.5
    assert chroma(lab(made) - lab(start))[inside].mean() > 5


@pytest.mark.parametrize("resize_mode", [0, 1, 2, 3])
def test_a_picture_of_another_size_is_held_as_it_is_after_resizing(redraw, resize_mode):
    start = noise(90, 50).resize((45, 25)).resize((90, 50))
    grey = start.convert("L").convert("RGB")
    made = redraw(grey, resize_mode=resize_mode, chroma_strength=0.0)
    assert made.shape == (64, 64, 3)
    assert chroma(lab(made)).max() < 1


def test_the_limits_stand_in_the_text_and_come_back(redraw):
    text = redraw(
        noise(64, 64), luma_strength=0.0, chroma_strength=0.9, made=lambda result: result.infotexts[0]
    )
    fields = read_infotext(text).fields
    assert (fields["Luma strength"], fields["Chroma strength"]) == ("0.0", "0.9")
    values = to_request_values(read_infotext(text))
    assert (values["luma_strength"], values["chroma_strength"]) == (0.0, 0.9)


def test_a_text_without_them_says_nothing_of_them(redraw):
    text = redraw(noise(64, 64), made=lambda result: result.infotexts[0])
    assert "uma strength" not in text


def test_they_decide_pixels_so_they_stand_in_the_order(house):
    request = parse_img2img({**TINY, "init_images": [encoded(noise(8, 8))], "luma_strength": 0.25})
    order = make_order(request, house.store.options, house.styles)
    assert order.model_dump(mode="json")["request"]["luma_strength"] == 0.25


@pytest.mark.parametrize("field", ["luma_strength", "chroma_strength"])
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), "much"])
def test_a_limit_that_cannot_be_is_refused_by_its_name(field, value):
    with pytest.raises(InvalidRequest) as refused:
        parse_img2img({"init_images": ["x"], field: value})
    assert refused.value.field == field


@given(st.binary(min_size=3 * 48, max_size=3 * 48), st.sampled_from([(0, 0), (0, 0.4), (0.7, 0)]))
def test_a_picture_blended_with_itself_is_itself(values, shares):
    picture = Image.fromarray(np.frombuffer(values, np.uint8).reshape(6, 8, 3))
    assert np.array_equal(blend_luma_chroma(picture, picture, *shares), picture)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 1.0]))
def test_lightness_is_exact_for_any_colours(seed, share):
    result, original = noise(16, 16, seed, 0, 256), noise(16, 16, seed + 1, 0, 256)
    blended = blend_luma_chroma(result, original, share, 1.0 if share < 1 else 0.5)
    wanted = lab(original)[..., 0] + share * (lab(result) - lab(original))[..., 0]
    assert np.abs(lab(blended)[..., 0] - wanted).max() < 0.6


def test_lightness_is_that_of_the_standard():
    """Values of Bruce Lindbloom's calculator for sRGB, D65."""
    known = {(255, 0, 0): (53.24, 80.09, 67.20), (0, 255, 0): (87.73, -86.18, 83.18),
             (0, 0, 255): (32.30, 79.19, -107.86), (128, 128, 128): (53.59, 0, 0)}  # fmt: skip
    for colour, values in known.items():
        assert lab(np.array(colour)) == pytest.approx(np.array(values), abs=0.05)


def test_the_two_directions_of_the_latent_are_all_of_it_and_do_not_mix():
    colours = torch.randn(4, 3, generator=torch.Generator().manual_seed(3))
    chroma_part = chroma_projector(colours)
    luma = torch.tensor([0.2126, 0.7152, 0.0722])
    torch.testing.assert_close(chroma_part @ chroma_part, chroma_part, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(luma @ colours.T @ chroma_part, torch.zeros(4), atol=1e-5, rtol=0)
    structure = torch.eye(4) - chroma_part
    seen = colours.T @ structure
    torch.testing.assert_close(seen[0], seen[1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen[1], seen[2], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("free", "left", "weight"),
    [(0, 1, 1), (0, 0.01, 1), (1, 1, 0), (0.5, 0.5, 0), (0.5, 0.5625, 0.5), (0.5, 0.7, 1), (0.5, 0.2, 0)],
)
def test_a_direction_is_held_until_its_share_of_the_pass_is_left(free, left, weight):
    assert Direction(torch.eye(4), free).weight(left) == pytest.approx(weight)
