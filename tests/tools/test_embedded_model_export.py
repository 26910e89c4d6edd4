"""The trained modules as a checkpoint file: every tensor under its name, and latents of the promised size."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tools.embedded_model.autoencoder import build_vae
from tools.embedded_model.captions import all_captions
from tools.embedded_model.concepts import BENCHMARK_CONCEPTS, CONCEPTS, STYLES
from tools.embedded_model.diffusion import END_TOKEN, START_TOKEN, VOCABULARY, Drawer
from tools.embedded_model.export import (
    LATENT_SCALE,
    export,
    normalise_latents,
    normalised,
    unet_to_ldm,
    vae_to_ldm,
)

TOKENS = [320, 2368, START_TOKEN, END_TOKEN]


@pytest.fixture(scope="module")
def drawer() -> Drawer:
    torch.manual_seed(0)
    return Drawer(TOKENS).eval()


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return build_vae().eval()


@pytest.fixture(scope="module")
def latents() -> torch.Tensor:
    """Latents of a VAE whose channels differ in level and size."""
    random = torch.randn(3, 2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    return random * torch.tensor([0.5, 1.0, 2.0, 3.0])[:, None, None] + torch.arange(4.0)[:, None, None]


@pytest.fixture(scope="module")
def file(drawer, vae, latents, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("export") / "small.safetensors"
    export(drawer, vae, latents, path, {"modelspec.title": "small"})
    return path


def test_no_two_tensors_get_the_same_name(drawer, vae):
    assert len(unet_to_ldm(drawer.unet)) == len(drawer.unet.state_dict())
    assert len(vae_to_ldm(vae)) == len(vae.state_dict())


def test_every_name_is_in_the_layouts_own_words(file):
    with safe_open(file, "pt") as stored:
        names = list(stored.keys())
    assert not [name for name in names if "resnets" in name or "attentions" in name or "mid_block" in name]
    for name in (
        "model.diffusion_model.input_blocks.3.1.transformer_blocks.0.attn2.to_k.weight",
        "model.diffusion_model.output_blocks.1.1.conv.weight",
        "first_stage_model.decoder.up.3.block.1.conv2.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
    ):
        assert name in names


def test_the_finest_level_has_no_attention(file):
    with safe_open(file, "pt") as stored:
        names = list(stored.keys())
    assert not [name for name in names if name.startswith("model.diffusion_model.input_blocks.1.1.")]
    assert "attention_resolutions: [4, 2]" in file.with_suffix(".yaml").read_text()


def test_the_vocabulary_is_whole_and_unlearnt_words_say_nothing(file, drawer):
    name = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    with safe_open(file, "pt") as stored:
        table = stored.get_tensor(name)
        assert stored.metadata() == {"format": "pt", "modelspec.title": "small"}
    assert table.shape == (VOCABULARY, 128)
    learnt = drawer.text.get_input_embeddings().weight
    torch.testing.assert_close(table[TOKENS].float(), learnt, atol=1e-3, rtol=1e-3)
    assert not table[1000].any()


def test_the_file_is_small_enough_for_the_repository(file):
    assert file.stat().st_size < 31_000_000


def test_latents_times_the_scale_factor_are_the_normalised_ones(vae, latents):
    """The changed last layer of the encoder: what it makes of the same input, scaled, is `normalised`."""
    mean, deviation = latents.mean((0, 1, 3, 4)), latents.std((0, 1, 3, 4))
    before = vae_to_ldm(vae)
    after = normalise_latents(before, mean, deviation)
    moments = torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    convolve = torch.nn.functional.conv2d
    old = convolve(moments, before["quant_conv.weight"], before["quant_conv.bias"])[:, :4]
    new = convolve(moments, after["quant_conv.weight"], after["quant_conv.bias"])[:, :4]
    expected = (old - mean[:, None, None]) / deviation[:, None, None]
    torch.testing.assert_close(new * LATENT_SCALE, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        convolve(new, after["post_quant_conv.weight"], after["post_quant_conv.bias"]),
        convolve(old, before["post_quant_conv.weight"], before["post_quant_conv.bias"]),
        atol=1e-4,
        rtol=1e-4,
    )


def test_normalised_latents_have_mean_zero_and_deviation_one_in_each_channel(latents):
    changed = normalised(latents)
    torch.testing.assert_close(changed.mean((0, 1, 3, 4)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(changed.std((0, 1, 3, 4)), torch.ones(4))


def test_a_hundred_different_concepts_are_measured():
    assert len({concept.icon for concept in BENCHMARK_CONCEPTS}) == 100


def test_a_word_means_one_concept_only():
    words = [word for concept in CONCEPTS for word in concept.words]
    assert len(set(words)) == len(words)


def test_captions_know_both_articles():
    captions = all_captions(CONCEPTS, STYLES)
    assert {"a cat face", "an owl", "a unicorn", "cat face, noto style", ""} <= captions
