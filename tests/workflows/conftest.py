"""Outpainting without a queue: a request goes straight to the engine."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from modules.generation import Run, SilentWatcher, parse_img2img

TINY = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 7, "denoising_strength": 0.8}


def encoded(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def picture():
    """A function from a size to a picture of smooth colours with some grain."""

    def picture(width: int, height: int) -> Image.Image:
        across, down = np.meshgrid(np.linspace(0, 200, width), np.linspace(0, 200, height))
        grain = np.random.default_rng(width).integers(0, 50, (height, width))
        return Image.fromarray(np.stack([across + grain, down, 200 - across], axis=-1).astype(np.uint8))

    return picture


@pytest.fixture
def plan(house):
    """A function from a picture, a script and its arguments to a run."""

    def plan(image, name, arguments, settings=None, **values) -> Run:
        script = {"script_name": name, "script_args": arguments}
        request = parse_img2img({**TINY, "init_images": [encoded(image)], **script, **values})
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **(settings or {})})
        return house.engine.plan(request, options, house.styles, save=False)

    return plan


@pytest.fixture
def make(house, plan):
    """The same, to the pictures."""

    def make(image, name, arguments, settings=None, watcher=None, **values) -> list[Image.Image]:
        run = plan(image, name, arguments, settings, **values)
        return [each.pixels() for each in house.engine.make(run, watcher or SilentWatcher()).pictures]

    return make
