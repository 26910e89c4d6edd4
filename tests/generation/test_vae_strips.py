"""Large pictures go through the VAE in strips: the same pictures, with less memory."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from modules.generation import guard
from modules.generation.network import tiled_convolutions
from modules.generation.strips import SHARES
from modules.generation.vae_strips import bytes_in_strips, decode_in_strips, encode_in_strips
from modules.memory import NotEnoughMemory, rehearse
from modules.proof import VerdictKind, verify_picture

from .drawing import Recorder, pixels

ROUNDING = 2e-4
MIB = 1 << 20


@pytest.fixture
def model(draw, house):
    draw()
    return house.engine.model


@pytest.fixture
def full_size_vae():
    """Of Stable Diffusion's size, without memory."""
    with torch.device("meta"):
        return AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            block_out_channels=[128, 256, 512, 512],
            layers_per_block=2,
            latent_channels=4,
        )


def noise(*shape):
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("share", [*SHARES, 100])
@pytest.mark.parametrize(("width", "height"), [(72, 136), (64, 64)])
@torch.inference_mode()
def test_strips_give_what_the_whole_gives(model, share, width, height):
    vae, latent = model.vae, noise(4, height // 8, width // 8)
    whole = vae.decode(latent, return_dict=False)[0]
    assert torch.allclose(decode_in_strips(vae, latent, share), whole, atol=ROUNDING)
    picture = noise(3, height, width).clamp(-1, 1)
    moments = vae.encode(picture, return_dict=False)[0].parameters
    assert torch.allclose(encode_in_strips(vae, picture, share), moments, atol=ROUNDING)


@torch.inference_mode()
def test_a_picture_that_continues_at_its_edges_does_so_in_strips(model):
    latent = noise(4, 24, 16)
    plain = model.vae.decode(latent, return_dict=False)[0]
    with tiled_convolutions(model, True):
        whole = model.vae.decode(latent, return_dict=False)[0]
        strips = decode_in_strips(model.vae, latent, 10)
    assert torch.allclose(strips, whole, atol=ROUNDING)
    assert not torch.allclose(plain, whole, atol=0.1)


@torch.inference_mode()
def test_norms_are_their_own_again(model):
    latent = noise(4, 16, 16)
    before = model.vae.decode(latent, return_dict=False)[0]
    with pytest.raises(MemoryError):
        hook = model.vae.decoder.up_blocks[-1].register_forward_pre_hook(no_memory)
        last = model.vae.decoder.conv_out.register_forward_pre_hook(no_memory)
        try:
            decode_in_strips(model.vae, latent, 10)
        finally:
            hook.remove()
            last.remove()
    assert torch.equal(model.vae.decode(latent, return_dict=False)[0], before)


def no_memory(*_):
    raise MemoryError


def test_a_full_size_vae_decodes_four_megapixels_in_less_than_two_gigabytes(full_size_vae):
    """Rehearsed without memory; `benchmarks/memory.py` measures it."""
    side = 2048
    latent = torch.empty(1, 4, side // 8, side // 8, device="meta")
    taken = rehearse(lambda: decode_in_strips(full_size_vae, latent, SHARES[-1])).peak
    assert taken < 1.8e9
    forecast, _ = bytes_in_strips(full_size_vae, SHARES[-1])
    assert forecast * side**2 == pytest.approx(taken, rel=0.1)


LARGE = {"width": 128, "height": 512, "steps": 1, "cfg_scale": 1}


def test_what_would_not_fit_is_drawn_in_strips_and_says_so(draw, house, monkeypatch, tmp_path):
    whole = draw(LARGE)
    options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"})
    checkpoint = house.engine.checkpoint_of(options)
    told = house.engine.guard.forecast(whole.run, checkpoint, guard.AttentionKind.AUTOMATIC)
    monkeypatch.setattr(guard, "memory_for_us", lambda device: told.peak - MIB)
    with pytest.raises(NotEnoughMemory, match="128x512"):
        draw(LARGE, vae_strips="Never")
    watcher = Recorder()
    made = draw(LARGE, watcher, save=True, outdir_samples=str(tmp_path))
    assert np.abs(pixels(made)[0] - pixels(whole)[0]).max() <= 1
    assert any("in strips" in note for note in watcher.notes)
    assert "VAE strips: " in made.pictures[0].infotext
    assert "VAE strips" not in whole.pictures[0].infotext
    monkeypatch.undo()
    assert verify_picture(made.pictures[0].path, house.engine).kind is VerdictKind.SAME_BITS


def test_strips_from_a_size_leave_smaller_pictures_whole(draw):
    settings = {"vae_strips": "From a size", "vae_strips_from": 128}
    for side, told in ((64, False), (128, True)):
        made = draw({"width": side, "height": side}, **settings)
        assert ("VAE strips" in made.pictures[0].infotext) is told
    assert np.abs(pixels(made)[0] - pixels(draw({"width": 128, "height": 128}))[0]).max() <= 1
