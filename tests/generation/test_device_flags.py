"""Flags of the device that change how a picture is computed and not what it shows."""

import numpy as np
import pytest
import torch

from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, SilentWatcher, parse_txt2img
from modules.settings import Options

from .drawing import TINY, pixels


@pytest.fixture(scope="module")
def engine(tmp_path_factory, parity_models):
    words = ["--data-dir", str(tmp_path_factory.mktemp("user")), "--ckpt-dir", str(parity_models)]
    flags = parse_flags([*words, "--opt-channelslast", "--disable-nan-check"], environment={})
    return Engine(Folders.from_flags(flags), flags)


@pytest.fixture
def drawn(engine, house):
    def drawn():
        options = Options().overridden({"sd_model_checkpoint": "tiny-sd1.safetensors"})
        run = engine.plan(parse_txt2img(TINY), options, house.styles, save=False)
        return pixels(engine.make(run, SilentWatcher()))[0]

    return drawn


def test_channels_last_draws_the_same_picture(drawn, draw, engine):
    made = drawn()
    assert engine.model.unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    assert np.abs(made - pixels(draw())[0]).max() <= 2


def test_without_the_check_numbers_that_are_none_are_black(drawn, engine):
    drawn()
    weight = engine.model.unet.conv_out.weight
    before = weight.clone()
    with torch.no_grad():
        weight.fill_(float("nan"))
    assert not drawn().any()
    with torch.no_grad():
        weight.copy_(before)
