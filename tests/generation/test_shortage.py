"""Where the memory does not suffice, a run goes on with less, once, and loses no picture."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from modules.errors import EaselError
from modules.generation import parse_img2img
from modules.proof import VerdictKind, verify_picture

from .drawing import TINY, Recorder, failing, pixels

THREE = {"n_iter": 3}
SHORTAGES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90 GiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


def apart(made, wanted) -> int:
    return max(int(np.abs(a - b).max()) for a, b in zip(pixels(made), pixels(wanted), strict=True))


@pytest.mark.parametrize("error", SHORTAGES, ids=["python", "device", "machine"])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_a_step_that_finds_no_memory_is_made_again_with_less(draw, house, step, error):
    wanted, watcher = draw(THREE), Recorder()
    with failing(house.engine.model.unet, step, error=error):
        made = draw(THREE, watcher)
    assert apart(made, wanted) <= 1
    assert [note for note in watcher.notes if "memory did not suffice" in note]
    assert len(watcher.pictures) == 3


@pytest.mark.parametrize("picture", [1, 2, 3])
def test_a_decoding_that_finds_no_memory_is_repeated_alone(draw, house, picture):
    wanted, watcher = draw({"batch_size": 3}), Recorder()
    model, steps = house.engine.model, []
    hook = model.unet.register_forward_pre_hook(lambda *_: steps.append(1))
    try:
        with failing(model.vae.decoder.mid_block, picture):
            made = draw({"batch_size": 3}, watcher)
    finally:
        hook.remove()
    assert len(steps) == 2
    assert apart(made, wanted) <= 1
    assert watcher.notes == [
        "The memory did not suffice, so the program goes on with less: the VAE in strips."
    ]
    assert ["VAE strips" in each.infotext for each in made.pictures] == [k >= picture for k in (1, 2, 3)]


def test_an_encoding_that_finds_no_memory_is_made_again(house, grey_picture):
    def draw(watcher):
        request = parse_img2img(
            {**TINY, "init_images": [grey_picture], "denoising_strength": 0.5, "batch_size": 2}
        )
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"})
        run = house.engine.plan(request, options, house.styles, save=False)
        return house.engine.make(run, watcher)

    wanted, watcher = draw(Recorder()), Recorder()
    with failing(house.engine.model.vae.encoder.mid_block, 1):
        made = draw(watcher)
    assert apart(made, wanted) <= 1
    assert watcher.notes == [
        "The memory did not suffice, so the program goes on with less: the VAE in strips, one picture at a time."
    ]


@pytest.fixture
def grey_picture():
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_batch_goes_on_one_by_one_and_its_pictures_can_be_proved(draw, house, tmp_path):
    asked = {"batch_size": 2, "n_iter": 2}
    wanted, watcher = draw(asked), Recorder()
    keep = {"save": True, "outdir_samples": str(tmp_path), "grid_save": False, "return_grid": False}
    with failing(house.engine.model.unet, 3):
        made = draw(asked, watcher, cross_attention_optimization="None", **keep)
    assert apart(made, draw(asked, return_grid=False)) <= 1 and wanted
    assert "attention without its matrix, one picture at a time" in watcher.notes[0]
    for picture in made.pictures:
        assert verify_picture(picture.path, house.engine).kind is VerdictKind.SAME_BITS


def test_a_second_shortage_ends_the_job_with_the_pictures_before_it(draw, house):
    draw()
    watcher = Recorder()
    with failing(house.engine.model.unet, 3, 4), pytest.raises(EaselError, match="memory does not suffice"):
        draw(THREE, watcher)
    assert len(watcher.pictures) == 1
    with failing(house.engine.model.vae.decoder.mid_block, 2, 3), pytest.raises(EaselError, match="64x64"):
        draw(THREE, Recorder())


def test_another_error_is_no_shortage(draw, house):
    draw()
    strange = RuntimeError("shapes differ")
    with (
        failing(house.engine.model.unet, 1, error=strange),
        pytest.raises(RuntimeError, match="shapes differ"),
    ):
        draw()
