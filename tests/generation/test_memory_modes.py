"""Memory modes at work: only what computes is on the device, and the pictures are the same bits."""

import base64
import io
import logging
import shutil

import numpy as np
import pytest
import torch

from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, guard, parse_img2img, parse_txt2img
from modules.generation.mode_choice import ModeChoice
from modules.memory import MemoryMode, NotEnoughMemory
from modules.prompts import StyleBook
from modules.settings import Options

from .drawing import TINY, Recorder, failing, pixels

NORMAL, MEDVRAM, LOWVRAM = MemoryMode
LIGHTER = [MEDVRAM, LOWVRAM]
LORA = {"prompt": "a cat <lora:tiny-lora:1>"}
needs_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def as_base64(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def engine_over(data, models, *more):
    """An engine over the small models."""
    places = ["--data-dir", data, "--ckpt-dir", models, "--lora-dir", models / "Lora"]
    places += ["--hypernetwork-dir", models / "hypernetworks"]
    flags = parse_flags(["--no-hashing", *map(str, places), *more], environment={})
    return Engine(Folders.from_flags(flags), flags)


def make(engine, checkpoint, values, mode=None, watcher=None, **settings):
    """The result of a request in `mode`."""
    options = Options().overridden({"sd_model_checkpoint": checkpoint, **settings})
    parse = parse_img2img if "init_images" in values else parse_txt2img
    run = engine.plan(parse({**TINY, **values}), options, StyleBook([]), save=False)
    return engine.make(run, watcher or Recorder(), mode=mode)


@pytest.fixture(scope="module")
def engine(tmp_path_factory, all_parity_models):
    """One on the processor."""
    return engine_over(tmp_path_factory.mktemp("modes"), all_parity_models, "--use-cpu", "all")


class Inspector:
    """Sees to it that whatever computes is on the device, by the record of the placement."""

    def __init__(self, engine):
        self.placement, self.seen = engine.placement, set()
        self.handles = [
            layer.register_forward_pre_hook(self.check(root))
            for model in engine.models
            for root in model.modules
            for layer in root.modules()
            if next(layer.parameters(recurse=False), None) is not None
        ]

    def check(self, root):
        def check(*_):
            assert root in self.placement.on_device
            together = {type(each).__name__ for each in self.placement.on_device}
            assert together in ({"UNet2DConditionModel"}, {"AutoencoderKL"}, {"CLIPTextModel"}, {"CLIPTextModel", "Linear"})  # fmt: skip
            self.seen |= together

        return check

    def leave(self):
        for handle in self.handles:
            handle.remove()


@pytest.mark.parametrize("mode", LIGHTER)
@pytest.mark.parametrize(
    ("checkpoint", "values"),
    [
        ("tiny-sd1", {"prompt": "a cat <lora:tiny-lora:1> <hypernet:tiny-hyper:1>"}),
        ("tiny-sd1", {"enable_hr": True, "hr_upscaler": "Lanczos", "denoising_strength": 0.5, "hr_prompt": "a dog"}),
        ("tiny-sdxl", {"batch_size": 2}),
    ],
    ids=["adapters", "hires", "sdxl"],
)  # fmt: skip
def test_only_what_computes_is_on_the_device(engine, checkpoint, values, mode):
    settings = {"show_progress_type": "Full", "persistent_cond_cache": False}
    expected = pixels(make(engine, checkpoint, values, **settings))
    inspector, watcher = Inspector(engine), Recorder(looks=True)
    try:
        made = make(engine, checkpoint, values, mode, watcher, **settings)
    finally:
        inspector.leave()
    assert np.array_equal(pixels(made), expected)
    assert watcher.previews
    assert {"UNet2DConditionModel", "AutoencoderKL", "CLIPTextModel"} <= inspector.seen
    assert engine.placement.on_device == ()


@pytest.mark.parametrize("mode", LIGHTER)
def test_other_checkpoints_and_pictures_to_start_from_are_drawn_the_same(engine, mode):
    given = make(engine, "tiny-sd1", {}).pictures[0].pixels()
    redrawn = {"init_images": [as_base64(given)], "denoising_strength": 0.6}
    for checkpoint, values in (
        ("tiny-sd1", redrawn),
        ("tiny-sd1", {"refiner_checkpoint": "tiny-sd2", "refiner_switch_at": 0.5, "steps": 4}),
        ("tiny-sd1-inpainting", redrawn),
    ):
        expected = pixels(make(engine, checkpoint, values))
        assert np.array_equal(pixels(make(engine, checkpoint, values, mode)), expected)


def weights(model):
    return [parameter.detach().cpu().clone() for module in model.modules for parameter in module.parameters()]


def same(before, after):
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("eight_bits", ["Disable", "Enable"])
def test_networks_go_on_and_off_in_every_mode_to_the_bit(engine, eight_bits):
    plain = pixels(make(engine, "tiny-sd1", {}, fp8_storage=eight_bits))
    own = weights(engine.model)
    worn = pixels(make(engine, "tiny-sd1", LORA, fp8_storage=eight_bits))
    for mode in (MEDVRAM, LOWVRAM, NORMAL):
        assert np.array_equal(pixels(make(engine, "tiny-sd1", LORA, mode, fp8_storage=eight_bits)), worn)
        assert np.array_equal(pixels(make(engine, "tiny-sd1", {}, mode, fp8_storage=eight_bits)), plain)
        assert same(own, weights(engine.model))


def test_on_a_processor_the_flags_change_nothing_and_the_log_says_so(tmp_path, all_parity_models, caplog):
    with caplog.at_level(logging.WARNING):
        engine = engine_over(tmp_path, all_parity_models, "--use-cpu", "all", "--medvram", "--lowvram")
    said = [record.getMessage() for record in caplog.records if "vram" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("--medvram --lowvram: without effect here")
    assert engine.modes.wanted([engine.checkpoint_of(Options())]) is NORMAL


@pytest.fixture
def as_on_a_card(engine, monkeypatch):
    """A function that gives the engine's device so much memory, as if it were its own."""
    monkeypatch.setattr(guard, "modes_matter", lambda _: True)
    monkeypatch.setattr(engine.guard, "_lightest", LOWVRAM)
    monkeypatch.setattr(engine.guard, "_resting", 0)
    monkeypatch.setattr(engine.guard, "_held", lambda: 0)
    monkeypatch.setattr(engine.modes, "_matters", True)
    return lambda room: monkeypatch.setattr(guard, "memory_for_us", lambda _: room)


def peaks(engine, run, checkpoint):
    return [
        engine.guard.forecast(run, checkpoint, guard.AttentionKind.AUTOMATIC, mode=mode).peak
        for mode in MemoryMode
    ]


def test_a_job_takes_the_first_mode_in_which_it_fits_and_says_so(engine, as_on_a_card):
    run = make(engine, "tiny-sd1", {}).run
    normal, medvram, lowvram = peaks(engine, run, engine.shelf.find("tiny-sd1"))
    assert normal > medvram > lowvram
    for room, mode in ((normal, None), (medvram, MEDVRAM), (lowvram, LOWVRAM)):
        as_on_a_card(room)
        watcher, inspected = Recorder(), []
        watcher.on_step = lambda _, inspected=inspected: inspected.append(engine.placement.mode)
        make(engine, "tiny-sd1", {}, watcher=watcher)
        assert set(inspected) == {mode or NORMAL}
        assert [f"drawn in the mode {mode}" in note for note in watcher.notes] == ([True] if mode else [])
    as_on_a_card(lowvram - 1)
    with pytest.raises(NotEnoughMemory):
        make(engine, "tiny-sd1", {})


def test_a_shortage_is_met_with_the_next_lighter_mode_too(engine, as_on_a_card, monkeypatch):
    monkeypatch.setattr("modules.generation.engine.modes_matter", lambda _: True)
    as_on_a_card(1 << 40)
    make(engine, "tiny-sd1", {}, NORMAL)
    own, twice = weights(engine.model), {**LORA, "n_iter": 2}
    wanted, watcher = pixels(make(engine, "tiny-sd1", twice, NORMAL)), Recorder()
    with failing(engine.model.unet, 2):
        made = pixels(make(engine, "tiny-sd1", twice, NORMAL, watcher))
    assert [note for note in watcher.notes if "the memory mode medvram" in note]
    assert max(np.abs(one - other).max() for one, other in zip(made, wanted, strict=True)) <= 1
    assert engine.placement.mode is NORMAL
    make(engine, "tiny-sd1", {}, NORMAL)
    assert same(own, weights(engine.model))


def test_medvram_sdxl_is_for_sdxl_and_whatever_is_drawn_with_it(engine, tmp_path, all_parity_models):
    flags = parse_flags(["--medvram-sdxl"], environment={})
    choice = ModeChoice(flags, engine.policy, engine.guard)
    choice._matters = True
    one, xl = engine.shelf.find("tiny-sd1"), engine.shelf.find("tiny-sdxl")
    assert [choice.wanted(each) for each in ([one], [xl], [one, xl])] == [NORMAL, MEDVRAM, MEDVRAM]


@pytest.fixture(scope="module")
def card(tmp_path_factory, all_parity_models):
    """An engine on the graphics card."""
    engine = engine_over(tmp_path_factory.mktemp("card"), all_parity_models)
    assert engine.policy.device.type == "cuda"
    yield engine
    engine.unload()


@pytest.mark.gpu
@needs_card
@pytest.mark.parametrize("checkpoint", ["tiny-sd1", "tiny-sdxl"])
def test_on_a_card_every_mode_draws_the_same_bits_with_a_network_on_and_off_again(card, checkpoint):
    settings = {"persistent_cond_cache": False}
    values = {"width": 128, "height": 128, "steps": 4}
    plain = pixels(make(card, checkpoint, values, NORMAL, **settings))
    own = weights(card.model)
    worn = pixels(make(card, checkpoint, {**values, **LORA}, NORMAL, **settings))
    assert not np.array_equal(plain, worn)
    for mode in (MEDVRAM, LOWVRAM, NORMAL, LOWVRAM, MEDVRAM):
        drawn = make(
            card,
            checkpoint,
            {**values, **LORA},
            mode,
            Recorder(looks=True),
            show_progress_type="Full",
            **settings,
        )
        assert np.array_equal(pixels(drawn), worn), mode
        assert np.array_equal(pixels(make(card, checkpoint, values, mode, **settings)), plain), mode
        assert same(own, weights(card.model))
        places = {parameter.device.type for module in card.model.modules for parameter in module.parameters()}
        assert places == {"cuda" if mode is NORMAL else "cpu"}


@pytest.mark.gpu
@needs_card
def test_on_a_card_eight_bits_a_hypernetwork_and_a_refiner_work_in_every_mode(card):
    values = {
        "prompt": "a cat <hypernet:tiny-hyper:1>", "steps": 4, "enable_hr": True, "denoising_strength": 0.5,
        "hr_upscaler": "Lanczos", "refiner_checkpoint": "tiny-sd2", "refiner_switch_at": 0.5,
    }  # fmt: skip
    for settings in ({}, {"fp8_storage": "Enable", "cache_fp16_weight": True}):
        expected = pixels(make(card, "tiny-sd1", values, NORMAL, **settings))
        for mode in LIGHTER:
            assert np.array_equal(pixels(make(card, "tiny-sd1", values, mode, **settings)), expected)


def peak(engine, values, mode):
    """Bytes on the card at most, and after the job."""
    make(engine, "random-sd15", values, mode, memory_forecast=False)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    make(engine, "random-sd15", values, mode, memory_forecast=False)
    return torch.cuda.max_memory_allocated(), torch.cuda.memory_allocated()


@pytest.mark.gpu
@needs_card
def test_on_a_card_a_lighter_mode_takes_less_and_ten_jobs_leave_nothing(tmp_path, all_parity_models):
    """A full-size SD 1.5 of random weights, at a size at which weights are most of the memory."""
    from benchmarks.random_checkpoint import write_random_sd15

    folder = tmp_path / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    write_random_sd15(folder / "random-sd15.safetensors")
    engine = engine_over(tmp_path, all_parity_models)
    values = {"width": 128, "height": 128, "steps": 3}
    try:
        normal, medvram, lowvram = (peak(engine, values, mode)[0] for mode in MemoryMode)
        assert normal > medvram * 1.1
        assert medvram > lowvram * 2
        for mode in LIGHTER:
            after = [peak(engine, values, mode)[1] for _ in range(5)]
            assert max(after) <= after[0] + (1 << 20)
            assert after[0] < lowvram / 2
    finally:
        engine.unload()
        shutil.rmtree(folder)
