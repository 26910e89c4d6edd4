"""Plain upscalers, and the table of the latent ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.errors import InvalidRequest
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS, upscale_picture

noise = Image.effect_noise((24, 16), 80).convert("RGB")


@pytest.mark.parametrize("name", UPSCALERS)
@given(width=st.integers(8, 40), height=st.integers(8, 40), factor=st.floats(1, 4))
def test_sides_are_multiples_of_eight(name: str, width: int, height: int, factor: float) -> None:
    size = upscale_picture(UPSCALERS[name], Image.new("RGB", (width, height)), factor).size
    assert size == (int(width * factor) // 8 * 8, int(height * factor) // 8 * 8)


def test_nearest_repeats_pixels() -> None:
    larger = upscale_picture(UPSCALERS["Nearest"], noise, 2)
    assert larger.getpixel((46, 31)) == larger.getpixel((47, 30)) == noise.getpixel((23, 15))


def test_lanczos_goes_to_the_exact_factor_first() -> None:
    larger = upscale_picture(UPSCALERS["Lanczos"], noise, 1.4)
    exact = noise.resize((33, 22), Image.Resampling.LANCZOS).resize((32, 16), Image.Resampling.LANCZOS)
    assert larger.tobytes() == exact.tobytes()


def test_an_upscaler_with_a_factor_of_its_own_is_applied_until_it_suffices() -> None:
    class Doubling:
        name = "Doubling"
        passes = 0

        def enlarge(self, image: Image.Image, factor: float) -> Image.Image:
            self.passes += 1
            return image.resize((image.width * 2, image.height * 2))

    doubling = Doubling()
    assert upscale_picture(doubling, noise, 3).size == (72, 48)
    assert doubling.passes == 2
    assert upscale_picture(doubling, noise, 20).size == (480, 320)
    assert doubling.passes == 5


def test_a_picture_that_would_vanish_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="smaller than 8 pixels"):
        upscale_picture(UPSCALERS["Lanczos"], noise, 0.1)


def test_latent_upscalers_are_those_of_the_field_in_its_order() -> None:
    assert list(LATENT_UPSCALERS) == [
        "Latent",
        "Latent (antialiased)",
        "Latent (bicubic)",
        "Latent (bicubic antialiased)",
        "Latent (nearest)",
        "Latent (nearest-exact)",
    ]
    assert [name for name, upscaler in LATENT_UPSCALERS.items() if upscaler.antialias] == [
        "Latent (antialiased)",
        "Latent (bicubic antialiased)",
    ]
