"""A processor that keeps weights as they are in the file draws the pictures of one that has them wide."""

import numpy as np
import pytest
import torch

from modules.checkpoints import narrow
from modules.flags import parse_flags
from modules.generation import parse_txt2img
from modules.house import make_house

from .drawing import TINY, Recorder, pixels

LORA = "a cat <lora:tiny-lora:0.7>"


@pytest.fixture
def drawn(all_parity_models, tmp_path, monkeypatch):
    """A function from flags, and requests to draw in turn, to their pixels and the engine."""
    monkeypatch.setattr(narrow, "SMALL", 0)

    def drawn(flags, *requests):
        arguments = ["--data-dir", str(tmp_path), "--ckpt-dir", str(all_parity_models), *flags]
        arguments += ["--lora-dir", str(all_parity_models / "Lora")]
        house = make_house(parse_flags(arguments, environment={}))
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"})
        made = []
        for values in requests:
            run = house.engine.plan(parse_txt2img({**TINY, **values}), options, house.styles, save=False)
            made.append(pixels(house.engine.make(run, Recorder()))[0])
        return made, house.engine

    return drawn


def test_pictures_are_the_same_bits_with_and_without_networks(drawn):
    requests = [{}, {"prompt": LORA}, {"tiling": True}, {}]
    kept, engine = drawn([], *requests)
    wide, other = drawn(["--no-half"], *requests)
    for one, expected in zip(kept, wide, strict=True):
        assert np.array_equal(one, expected)
    assert not np.array_equal(kept[0], kept[1])
    types = {parameter.dtype for parameter in engine.model.unet.parameters()}
    assert types == {torch.float16, torch.float32}
    assert {parameter.dtype for parameter in other.model.unet.parameters()} == {torch.float32}
    assert engine.model.nbytes < 0.6 * other.model.nbytes


@pytest.mark.parametrize("flags", [[], ["--no-half"]])
def test_the_forecast_counts_weights_as_they_are_kept(drawn, flags):
    _, engine = drawn(flags, {})
    assert engine.guard._book.costs(engine.model.checkpoint).weights == engine.model.nbytes
