"""Which models stay in memory between jobs, and what becomes of them there."""

import gc
import json
import os
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from modules.errors import EaselError
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine, parse_txt2img
from modules.generation.loaded import LoadedModel
from modules.generation.resident_models import Allowance
from modules.prompts import NetworkTag, StyleBook, take_network_tags
from modules.settings import Options

from .drawing import TINY, Recorder, pixels

ROOT = Path(__file__).parents[2]
A, B, C = "one", "two", "three"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, all_parity_models):
    """Three checkpoints that differ in nothing but their names, a VAE and a LoRA."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name in (A, B, C):
        shutil.copyfile(all_parity_models / "tiny-sd1.safetensors", folder / f"{name}.safetensors")
    for name in ("tiny-vae.safetensors", "tiny-sd1.yaml"):
        shutil.copyfile(all_parity_models / name, folder / name)
    return folder


@pytest.fixture
def engine(tmp_path, folder, parity_models):
    """An engine over them."""
    places = ["--ckpt-dir", folder, "--vae-dir", folder, "--lora-dir", parity_models / "Lora"]
    flags = parse_flags(["--data-dir", str(tmp_path), "--no-hashing", *map(str, places)], environment={})
    return Engine(Folders.from_flags(flags), flags)


def draw(engine, checkpoint, values=None, **settings):
    options = Options().overridden({"sd_model_checkpoint": checkpoint, **settings})
    request = parse_txt2img({**TINY, **(values or {})})
    run = engine.plan(request, options, StyleBook([]), save=False)
    return pixels(engine.make(run, Recorder()))[0]


def bring(engine, *checkpoints, **settings):
    for name in checkpoints:
        engine.preload(Options().overridden({"sd_model_checkpoint": name, **settings}))


def names(engine):
    return [model.checkpoint.stem for model in engine.models]


def weights(model):
    return {
        (number, name): parameter.detach().clone()
        for number, module in enumerate(model.modules)
        for name, parameter in module.named_parameters()
    }


def same(before, after):
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, [C]),
        ({"sd_checkpoints_limit": 2}, [C, B]),
        ({"sd_checkpoints_limit": 2, "sd_checkpoints_keep_in_cpu": False}, [C, B]),
        ({"sd_checkpoint_cache": 1}, [C, B]),
        ({"sd_checkpoints_limit": 2, "sd_checkpoint_cache": 5}, [C, B, A]),
    ],
)
def test_as_many_stay_as_the_settings_allow(engine, settings, kept):
    bring(engine, A, B, C, **settings)
    assert names(engine) == kept


def test_the_settings_are_an_allowance_for_the_device_and_one_for_the_machine():
    two = {"sd_checkpoints_limit": 3, "sd_checkpoint_cache": 1}
    assert Allowance.of(Options().overridden(two)) == Allowance(on_device=1, in_ram=3)
    apart = Options().overridden({**two, "sd_checkpoints_keep_in_cpu": False})
    assert Allowance.of(apart) == Allowance(on_device=3, in_ram=1)


def test_coming_back_to_one_that_stayed_loads_nothing_and_draws_the_same(engine):
    before = draw(engine, A, sd_checkpoints_limit=2)
    first = engine.model
    draw(engine, B, sd_checkpoints_limit=2)
    assert np.array_equal(draw(engine, A, sd_checkpoints_limit=2), before)
    assert engine.model is first


def test_the_one_that_was_not_used_for_longest_goes_first(engine):
    bring(engine, A, B, A, C, sd_checkpoints_limit=2)
    assert names(engine) == [C, A]


def test_what_goes_is_gone(engine):
    bring(engine, A)
    gone = weakref.ref(engine.model.unet)
    bring(engine, B)
    assert gone() is None


@pytest.mark.parametrize(
    "values",
    [{"refiner_checkpoint": B, "refiner_switch_at": 0.5}, {"enable_hr": True, "hr_checkpoint_name": B}],
)
def test_a_jobs_second_checkpoint_stays_for_the_next_job_where_two_are_allowed(engine, values):
    draw(engine, A, values, sd_checkpoints_limit=2)
    first, second = engine.models
    assert names(engine) == [A, B]
    draw(engine, A, values, sd_checkpoints_limit=2)
    assert engine.models == (first, second)
    del second
    draw(engine, A, values)
    assert engine.models == (first,)


def test_a_file_that_was_exchanged_is_loaded_anew(engine, folder):
    bring(engine, A, B, sd_checkpoints_limit=2)
    before = engine.models[1]
    path = folder / f"{A}.safetensors"
    other = path.with_suffix(".new")
    shutil.copyfile(path, other)
    other.replace(path)
    os.utime(path, (1e9, 1e9))
    bring(engine, A, sd_checkpoints_limit=2)
    assert names(engine) == [A, B]
    assert engine.model is not before


def test_a_checkpoint_that_cannot_be_loaded_leaves_all_others(engine, folder):
    bring(engine, A, B, sd_checkpoints_limit=2)
    before = engine.models
    bad = folder / "bad.safetensors"
    bad.write_text("no model")
    engine.shelf.refresh()
    try:
        with pytest.raises(EaselError, match="bad"):
            draw(engine, "bad", sd_checkpoints_limit=2)
    finally:
        bad.unlink()
    assert engine.models == before


def test_unloading_frees_them_all(engine):
    bring(engine, A, B, sd_checkpoints_limit=2)
    engine.unload()
    assert engine.models == ()


def test_an_exchanged_vae_is_gone_and_adapters_stay_right(engine):
    plain = draw(engine, A)
    lora = {"prompt": "a cat <lora:tiny-lora:1>"}
    worn = draw(engine, A, lora)
    gone = weakref.ref(engine.model.vae)
    other = draw(engine, A, lora, sd_vae="tiny-vae.safetensors")
    gc.collect()
    assert gone() is None
    assert not np.array_equal(worn, plain)
    assert not np.array_equal(other, worn)
    assert np.array_equal(draw(engine, A), plain)


def test_a_model_that_waits_holds_its_own_weights_alone_and_wears_again_what_it_is_asked_to(engine):
    lora = {"prompt": "a cat <lora:tiny-lora:1>"}
    bring(engine, A)
    own = weights(engine.model)
    worn = draw(engine, A, lora, sd_checkpoints_limit=2)
    assert not same(weights(engine.model), own)
    bring(engine, B, sd_checkpoints_limit=2)
    assert same(weights(engine.models[1]), own)
    assert np.array_equal(draw(engine, A, lora, sd_checkpoints_limit=2), worn)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a device of its own memory")
def test_a_model_leaves_the_device_and_comes_back_bit_for_bit(engine):
    bring(engine, A)
    loaded = LoadedModel(engine.model, engine.adapters)
    before = weights(loaded.model)
    loaded.wardrobe.wear([*tags("<lora:tiny-lora:1>")])
    loaded.rest()
    assert {parameter.device.type for parameter in weights(loaded.model).values()} == {"cpu"}
    loaded.wake()
    assert same(weights(loaded.model), before)


def tags(text) -> list[NetworkTag]:
    return take_network_tags(text)[1]


def test_models_that_only_wait_go_before_a_job_lacks_memory(engine, monkeypatch):
    bring(engine, B, C, A, sd_checkpoints_limit=3)
    enough_for_one = engine.model.nbytes * 3 // 2
    with monkeypatch.context() as patched:
        patched.setattr(engine.guard, "spare", lambda *_: enough_for_one)
        draw(engine, A, sd_checkpoints_limit=3)
    assert names(engine) == [A, C]
    monkeypatch.setattr("modules.generation.guard.memory_for_us", lambda _: 0)
    draw(engine, A, sd_checkpoints_limit=3, memory_forecast=False)
    assert names(engine) == [A]


CHANGES = """
import json, sys
from benchmarks.changes import measure
from modules.flags import parse_flags
from modules.folders import Folders
from modules.generation import Engine

flags = parse_flags(["--data-dir", sys.argv[1], "--ckpt-dir", sys.argv[2], "--no-hashing"], {})
engine = Engine(Folders.from_flags(flags), flags)
changes = measure(engine, ["tiny-sd1", "tiny-sdxl", "tiny-sd2"], 21)
print(json.dumps([change.resident for change in changes]))
"""


@pytest.mark.slow
def test_twenty_changes_of_the_checkpoint_take_no_more_memory_than_the_first(tmp_path, parity_models):
    """Of three sizes, so that each meets the holes that the one before has left."""
    command = [sys.executable, "-c", CHANGES, str(tmp_path), str(parity_models)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    resident = json.loads(answer.stdout.splitlines()[-1])
    for size in range(3):
        first, *later = resident[size::3]
        assert max(later) < first * 1.03
