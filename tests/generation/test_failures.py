"""What goes wrong while pictures are made is said, and costs as little as it can."""

import contextlib
import errno
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from modules.adapters.embeddings.reading import read_embedding
from modules.checkpoints import open_tensors
from modules.errors import EaselError, InvalidRequest
from modules.flags import parse_flags
from modules.generation import parse_txt2img
from modules.house import make_house

from .drawing import TINY, Recorder, pixels


@pytest.fixture
def full_disk(monkeypatch):
    """A function after which the disk takes so many more files and then no more."""
    from modules.imaging import writing

    def fill(files_left: int) -> None:
        room = iter(range(files_left))
        real = os.fsync

        def no_room(descriptor):
            if next(room, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(descriptor)

        monkeypatch.setattr(writing.os, "fsync", no_room)

    return fill


def test_a_full_disk_costs_the_file_and_not_the_picture(draw, full_disk, tmp_path):
    whole = pixels(draw({"n_iter": 3}))
    full_disk(1)
    watcher = Recorder()
    result = draw(
        {"n_iter": 3}, watcher, save=True, outdir_samples=str(tmp_path), grid_save=False, return_grid=False
    )
    assert all(map(np.array_equal, pixels(result), whole))
    assert [picture.path is not None for picture in result.pictures] == [True, False, False]
    assert result.pictures[0].path.stat().st_size > 1000
    assert "No space left" in result.pictures[1].unsaved
    assert str(tmp_path) in watcher.notes[0]
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".png"]


def test_a_grid_that_finds_no_room_is_still_shown(draw, full_disk, tmp_path):
    full_disk(0)
    result = draw(
        {"batch_size": 2},
        save=True,
        outdir_samples=str(tmp_path),
        outdir_grids=str(tmp_path),
        return_grid=True,
    )
    assert [picture.is_grid for picture in result.pictures] == [True, False, False]
    assert all(picture.unsaved for picture in result.pictures)


@contextlib.contextmanager
def disturbed(module: torch.nn.Module, change):
    """While it lasts, the first floating-point weights of `module` are what `change` makes of them."""
    weight = next(module.parameters())
    before = weight.detach().clone()
    with torch.no_grad():
        weight.copy_(change(weight))
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(before)


@contextlib.contextmanager
def narrow_vae(model, dtype, factor):
    """The VAE in a narrow type, its last but one numbers so large that the type cannot hold them."""
    vae = model.vae
    norm, last = vae.decoder.conv_norm_out, vae.decoder.conv_out
    before = {layer: layer.weight.detach().clone() for layer in (norm, last)}
    with torch.no_grad():
        norm.weight.mul_(factor)
        last.weight.div_(factor)
    vae.to(dtype)
    try:
        yield
    finally:
        vae.to(torch.float32)
        with torch.no_grad():
            for layer, weight in before.items():
                layer.weight.copy_(weight)


def test_a_vae_that_overflows_is_run_again_in_float32_and_says_so(draw, house):
    draw()
    model, watcher = house.engine.model, Recorder()
    state = {name: value.clone() for name, value in model.vae.state_dict().items()}
    with narrow_vae(model, torch.float16, 2.0**15):
        made = pixels(draw({}, watcher))[0]
        assert model.vae.dtype is torch.float16
        model.vae.to(torch.float32)
        wide = pixels(draw())[0]
    model.vae.load_state_dict(state)
    assert watcher.notes == ["The VAE overflowed in float16; the picture was decoded again in float32."]
    assert np.array_equal(made, wide)
    assert made.std() > 10


def test_a_vae_that_does_not_overflow_stays_narrow_and_silent(draw, house):
    exact = pixels(draw())[0]
    model, watcher = house.engine.model, Recorder()
    state = {name: value.clone() for name, value in model.vae.state_dict().items()}
    with narrow_vae(model, torch.bfloat16, 1.0):
        made = pixels(draw({}, watcher))[0]
    model.vae.load_state_dict(state)
    assert watcher.notes == []
    assert np.abs(made - exact).mean() < 10


def test_no_numbers_from_the_vae_in_float32_are_said(draw, house):
    draw()
    with (
        disturbed(house.engine.model.vae.decoder, lambda weight: weight * float("nan")),
        pytest.raises(EaselError, match="choose another VAE"),
    ):
        draw()


def test_no_numbers_from_the_unet_are_said_with_the_checkpoints_name(draw, house):
    before = pixels(draw())[0]
    watcher = Recorder(looks=True)
    with (
        disturbed(house.engine.model.unet, lambda weight: weight * float("nan")),
        pytest.raises(EaselError, match=r"tiny-sd1\.safetensors answered .*NaN"),
    ):
        draw({}, watcher, show_progress_type="Full")
    assert watcher.previews == []
    assert np.array_equal(pixels(draw())[0], before)


def test_guidance_that_overflows_is_said(draw):
    with pytest.raises(EaselError, match="lower CFG scale"):
        draw({"cfg_scale": 1e38})


class Command:
    """What a hostile pickle does when it is opened in trust."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def bad_file(house, all_parity_models, parity_models, tmp_path):
    """A function that puts a bad checkpoint into the models folder; the proof that it ran would be `proof`."""
    made = []
    proof = tmp_path / "it-ran"

    def make(kind: str):
        path = (
            all_parity_models
            / f"bad-{kind.replace(' ', '-')}.{'ckpt' if 'pickle' in kind else 'safetensors'}"
        )
        good = parity_models / "tiny-sd1.safetensors"
        if kind == "text":
            path.write_text("This is a page, not a model.\n")
        elif kind == "empty":
            path.write_bytes(b"")
        elif kind == "cut short":
            path.write_bytes(good.read_bytes()[:1_000_000])
        elif kind == "torn header":
            path.write_bytes(good.read_bytes()[:100])
        elif kind == "noise":
            path.write_bytes(np.random.default_rng(0).bytes(100_000))
        elif kind == "pickle":
            path.write_bytes(pickle.dumps(Command(f"touch {proof}")))
        elif kind == "zipped pickle":
            torch.save({"state_dict": Command(f"touch {proof}")}, path)
        made.append(path)
        house.engine.shelf.refresh()
        return path.stem, proof

    yield make
    for path in made:
        path.chmod(0o600)
        path.unlink()
    house.engine.shelf.refresh()


@pytest.mark.parametrize(
    "kind", ["text", "empty", "cut short", "torn header", "noise", "pickle", "zipped pickle"]
)
def test_a_file_that_is_no_model_is_named_and_the_model_before_stays(draw, house, bad_file, kind):
    before = pixels(draw())[0]
    model = house.engine.model
    name, proof = bad_file(kind)
    with pytest.raises(InvalidRequest, match=name) as refused:
        draw({}, sd_model_checkpoint=name)
    assert refused.value.field == "sd_model_checkpoint"
    assert len(str(refused.value)) > 40
    assert not proof.exists()
    assert house.engine.model is model
    assert np.array_equal(pixels(draw())[0], before)


def test_a_bad_checkpoint_for_the_hires_pass_is_named_too(draw, bad_file):
    name, _ = bad_file("text")
    with pytest.raises(InvalidRequest, match=name):
        draw({"enable_hr": True, "hr_scale": 1, "hr_checkpoint_name": name})


def test_too_little_memory_is_said_with_the_size_and_the_next_picture_is_drawn(draw, house):
    before = pixels(draw())[0]

    def no_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90 GiB")

    handle = house.engine.model.unet.register_forward_pre_hook(no_memory)
    try:
        with pytest.raises(EaselError, match="64x64"):
            draw()
    finally:
        handle.remove()
    assert np.array_equal(pixels(draw())[0], before)


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("a cat <lora:spoilt:1>", "LoRA spoilt"),
        ("a spoiltword cat", "embedding spoiltword"),
    ],
)
def test_what_is_no_number_in_a_file_is_left_out_with_a_note(tmp_path, parity_models, prompt, named):
    (tmp_path / "Lora").mkdir()
    (tmp_path / "embeddings").mkdir()
    with open_tensors(parity_models / "Lora" / "tiny-lora.safetensors") as file:
        tensors = {name: file.read(name) for name in file.tensors}
    tensors[min(name for name in tensors if "lora_up" in name)][:] = float("nan")
    save_file(tensors, tmp_path / "Lora" / "spoilt.safetensors")
    width = read_embedding(parity_models / "embeddings" / "tiny-emb.pt").width
    vectors = {"emb_params": torch.full((1, width), float("inf"))}
    save_file(vectors, tmp_path / "embeddings" / "spoiltword.safetensors")
    arguments = ["--data-dir", str(tmp_path / "data"), "--ckpt-dir", str(parity_models), "--nowebui"]
    arguments += ["--lora-dir", str(tmp_path / "Lora"), "--embeddings-dir", str(tmp_path / "embeddings")]
    house = make_house(parse_flags(arguments, environment={}))
    options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"})
    run = house.engine.plan(parse_txt2img({**TINY, "prompt": prompt}), options, house.styles)
    told = Recorder()
    house.engine.make(run, told)
    house.close()
    assert len(told.pictures) == 1
    assert any(named in note and "damaged" in note for note in told.notes), told.notes


def test_a_strength_that_runs_away_is_not_the_files_fault(draw):
    with pytest.raises(InvalidRequest, match="smaller weights of words and LoRAs"):
        draw({"prompt": "a cat <lora:tiny-lora:1e38>"})
