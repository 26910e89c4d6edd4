"""Small random models in diffusers' layout: saved as folders, so that loading them is tried too."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from modules.checkpoints import CheckpointFile, HashCache, Model, load_model
from modules.memory import DevicePolicy

CONFIGS = Path(__file__).parents[2] / "configs"
VOCABULARY = 49408
WIDTH = 32


def random_unet(in_channels: int = 4, **sizes) -> UNet2DConditionModel:
    usual = {
        "in_channels": in_channels,
        "out_channels": 4,
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": (2, 4),
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**{**usual, **sizes}).eval()


def random_vae(scale: float = 0.18215) -> AutoencoderKL:
    """With a posterior that is next to its mean, as trained ones have it."""
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=scale,
    ).eval()
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -60
    return vae


def random_tower(*, projected: bool = False, act: str = "quick_gelu", layers: int = 3):
    config = CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=37, num_hidden_layers=layers,
        num_attention_heads=4, hidden_act=act, projection_dim=16, pad_token_id=0,
        bos_token_id=49406, eos_token_id=49407,
    )  # fmt: skip
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    tower = kind(config).eval()
    # A fresh norm leaves a mean of exactly 0, over which emphasis cannot be brought back to the mean.
    (tower.text_model if projected else tower).final_layer_norm.bias.data.normal_()
    return tower


def tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    folder = CONFIGS / "clip-tokenizer"
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
    made = CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=pad)
    made.model_max_length = 77
    return made


def euler(**settings) -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        steps_offset=1,
        **settings,
    )


@pytest.fixture(autouse=True)
def same_weights_every_time():
    torch.manual_seed(11)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Model]:
    """Save a pipeline of diffusers as a folder, and load that."""

    def save(pipeline, name: str = "small", **how) -> Model:
        pipeline.save_pretrained(tmp_path / name, **how)
        hashes = HashCache(tmp_path / "hashes.json", enabled=False)
        file = CheckpointFile(tmp_path / name, hashes, name)
        return load_model(file, DevicePolicy(torch.device("cpu"), torch.float32, torch.float32), CONFIGS)

    return save
