"""Picture k of a batch is the picture made alone: within rounding, and bit for bit with exact batches."""

from functools import cache

import numpy as np
import pytest

from modules.generation import SilentWatcher, parse_txt2img
from modules.sampling import SAMPLERS

from .drawing import TINY

NAMES = [sampler.name for sampler in SAMPLERS.values()]
ALWAYS_ALONE = {sampler.name for sampler in SAMPLERS.values() if sampler.mixes_pictures}
SIZES = range(1, 9)
DRAWN_TOGETHER = (2, 5, 8)
"""Sizes at which the pictures are also drawn in one batch; with exact batches it is every size."""
ROUNDING = 1
HIRES = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6}
WAYS = {
    "variations": ({"subseed": 5, "subseed_strength": 0.4}, {}),
    "one noise for all with ENSD": ({"sampler_name": "Euler a"}, {"eta_noise_seed_delta": 31337, "randn_source": "NV"}),
    "prompts of two lengths": ({"negative_prompt": "x, " * 60, "prompt": "a [cat:dog:0.5] AND a bird"}, {}),
    "hires with latents": ({**HIRES, "hr_upscaler": "Latent"}, {}),
    "hires with pictures": ({**HIRES, "hr_upscaler": "Lanczos"}, {}),
    "hires with pictures and a VAE that varies": (
        {**HIRES, "hr_upscaler": "Lanczos", "width": 128, "height": 128, "prompt": "a cat face"},
        {"sd_model_checkpoint": "easel-emoji"},
    ),
    "hires by an adaptive sampler": ({**HIRES, "hr_sampler_name": "DPM adaptive", "denoising_strength": 0.1}, {}),
    "an inpainting checkpoint with hires": ({**HIRES, "hr_upscaler": "Nearest"}, {"sd_model_checkpoint": "tiny-sd1-inpainting"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def some_of(house):
    """A function from request values, settings and numbers of pictures to these pictures as whole numbers."""

    def some_of(values, settings, wanted) -> list[np.ndarray]:
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **settings})
        run = house.engine.plan(
            parse_txt2img({**TINY, "subseed": 3, **values}), options, house.styles, save=False
        )
        found = {}
        house.engine.draw(
            run,
            wanted,
            SilentWatcher(),
            lambda drawn: found.update({drawn.index: np.asarray(drawn.image, int)}),
        )
        return [found[index] for index in wanted]

    return some_of


@pytest.fixture(scope="module")
def alone(some_of):
    """A function from a sampler and k to the picture that is number k of a batch, made alone."""
    return cache(lambda sampler, k: some_of({"sampler_name": sampler, "seed": 7 + k}, {}, [0])[0])


def farthest(some: list[np.ndarray], others: list[np.ndarray]) -> int:
    return max(int(np.abs(one - other).max()) for one, other in zip(some, others, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", NAMES)
def test_every_sampler_makes_the_pictures_of_a_batch_as_alone(some_of, alone, sampler):
    """The last picture of a batch of each size, and the first of the largest."""
    for size in SIZES if sampler not in ALWAYS_ALONE else (1, 8):
        wanted = [0, size - 1] if size == SIZES[-1] else [size - 1]
        values = {"sampler_name": sampler, "batch_size": size}
        expected = [alone(sampler, k) for k in wanted]
        assert farthest(some_of(values, {"exact_batches": True}, wanted), expected) == 0
        if size in DRAWN_TOGETHER:
            assert farthest(some_of(values, {}, wanted), expected) <= ROUNDING


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_drawing_a_batch(some_of, way):
    values, settings = WAYS[way]
    batch, wanted = {**values, "batch_size": 3}, [0, 2]
    step = 0 if "subseed_strength" in values else 1
    single = [
        some_of({**values, "seed": 7 + step * k, "subseed": values.get("subseed", 3) + k}, settings, [0])[0]
        for k in wanted
    ]
    assert farthest(some_of(batch, {**settings, "exact_batches": True}, wanted), single) == 0
    assert farthest(some_of(batch, settings, wanted), single) <= ROUNDING
