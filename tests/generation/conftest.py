"""Drawing without a queue: a request goes straight to the engine."""

import pytest

from modules.generation import GenerationResult, parse_txt2img

from .drawing import TINY, Recorder


@pytest.fixture
def draw(house):
    """A function from request values to a result; `settings` are laid over the house's."""

    def draw(values=None, watcher=None, save=False, **settings) -> GenerationResult:
        request = parse_txt2img({**TINY, **(values or {})})
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **settings})
        run = house.engine.plan(request, options, house.styles, save=save)
        return house.engine.make(run, watcher or Recorder())

    return draw
