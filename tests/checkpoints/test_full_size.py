"""A checkpoint of the real Stable Diffusion 1.5's sizes, as an index whose numbers are a hole in the disk."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from modules.checkpoints import CheckpointFile, plan_model
from modules.checkpoints.sources import Source
from modules.checkpoints.tensor_file import StoredTensor
from modules.checkpoints.unet_layout import read_unet_layout

Shapes = dict[str, list[int]]
CHANNELS = (320, 640, 1280, 1280)
TIME, CONTEXT = 1280, 768
UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer.text_model."


def layer(name: str, *shape: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": list(shape), **({f"{name}.bias": list(shape[:1])} if bias else {})}


def unet_resnet(name: str, before: int, after: int) -> Shapes:
    shortcut = layer(f"{name}.skip_connection", after, before, 1, 1) if before != after else {}
    return {
        **layer(f"{name}.in_layers.0", before),
        **layer(f"{name}.in_layers.2", after, before, 3, 3),
        **layer(f"{name}.emb_layers.1", after, TIME),
        **layer(f"{name}.out_layers.0", after),
        **layer(f"{name}.out_layers.3", after, after, 3, 3),
        **shortcut,
    }


def unet_attention(name: str, width: int) -> Shapes:
    block = f"{name}.transformer_blocks.0"
    shapes = layer(f"{name}.norm", width)
    for part in ("proj_in", "proj_out"):
        shapes |= layer(f"{name}.{part}", width, width, 1, 1)
    for attention, source in (("attn1", width), ("attn2", CONTEXT)):
        shapes |= layer(f"{block}.{attention}.to_q", width, width, bias=False)
        shapes |= layer(f"{block}.{attention}.to_k", width, source, bias=False)
        shapes |= layer(f"{block}.{attention}.to_v", width, source, bias=False)
        shapes |= layer(f"{block}.{attention}.to_out.0", width, width)
    shapes |= layer(f"{block}.ff.net.0.proj", 8 * width, width) | layer(f"{block}.ff.net.2", width, 4 * width)
    for norm in ("norm1", "norm2", "norm3"):
        shapes |= layer(f"{block}.{norm}", width)
    return shapes


def unet_shapes() -> Shapes:
    """As latent-diffusion's UNetModel names them, with two blocks a level and attention on all but the last."""
    shapes = layer("time_embed.0", TIME, CHANNELS[0]) | layer("time_embed.2", TIME, TIME)
    shapes |= layer("input_blocks.0.0", CHANNELS[0], 4, 3, 3)
    kept, width, block = [CHANNELS[0]], CHANNELS[0], 1
    for level, channels in enumerate(CHANNELS):
        for _ in range(2):
            shapes |= unet_resnet(f"input_blocks.{block}.0", width, channels)
            shapes |= unet_attention(f"input_blocks.{block}.1", channels) if level < 3 else {}
            width, block = channels, block + 1
            kept.append(width)
        if level < 3:
            shapes |= layer(f"input_blocks.{block}.0.op", width, width, 3, 3)
            block += 1
            kept.append(width)
    shapes |= unet_resnet("middle_block.0", width, width) | unet_attention("middle_block.1", width)
    shapes |= unet_resnet("middle_block.2", width, width)
    block = 0
    for level, channels in reversed(list(enumerate(CHANNELS))):
        for place in range(3):
            shapes |= unet_resnet(f"output_blocks.{block}.0", width + kept.pop(), channels)
            shapes |= unet_attention(f"output_blocks.{block}.1", channels) if level < 3 else {}
            width = channels
            if level and place == 2:
                part = 2 if level < 3 else 1
                shapes |= layer(f"output_blocks.{block}.{part}.conv", width, width, 3, 3)
            block += 1
    return shapes | layer("out.0", width) | layer("out.2", 4, width, 3, 3)


def vae_block(name: str, before: int, after: int) -> Shapes:
    return {
        **layer(f"{name}.norm1", before),
        **layer(f"{name}.conv1", after, before, 3, 3),
        **layer(f"{name}.norm2", after),
        **layer(f"{name}.conv2", after, after, 3, 3),
        **(layer(f"{name}.nin_shortcut", after, before, 1, 1) if before != after else {}),
    }


def vae_middle(side: str) -> Shapes:
    shapes = vae_block(f"{side}.mid.block_1", 512, 512) | vae_block(f"{side}.mid.block_2", 512, 512)
    shapes |= layer(f"{side}.mid.attn_1.norm", 512)
    for part in ("q", "k", "v", "proj_out"):
        shapes |= layer(f"{side}.mid.attn_1.{part}", 512, 512, 1, 1)
    return shapes


def vae_shapes() -> Shapes:
    """As latent-diffusion's AutoencoderKL names them."""
    channels = (128, 256, 512, 512)
    shapes = layer("quant_conv", 8, 8, 1, 1) | layer("post_quant_conv", 4, 4, 1, 1)
    shapes |= layer("encoder.conv_in", 128, 3, 3, 3) | layer("encoder.conv_out", 8, 512, 3, 3)
    shapes |= layer("decoder.conv_in", 512, 4, 3, 3) | layer("decoder.conv_out", 3, 128, 3, 3)
    shapes |= layer("encoder.norm_out", 512) | layer("decoder.norm_out", 128)
    shapes |= vae_middle("encoder") | vae_middle("decoder")
    width = 128
    for level, after in enumerate(channels):
        for place in range(2):
            shapes |= vae_block(f"encoder.down.{level}.block.{place}", width, after)
            width = after
        shapes |= layer(f"encoder.down.{level}.downsample.conv", width, width, 3, 3) if level < 3 else {}
    for level, after in reversed(list(enumerate(channels))):
        for place in range(3):
            shapes |= vae_block(f"decoder.up.{level}.block.{place}", width, after)
            width = after
        shapes |= layer(f"decoder.up.{level}.upsample.conv", width, width, 3, 3) if level else {}
    return shapes


def text_shapes() -> Shapes:
    """As transformers named CLIP-L's text model when the checkpoints were made."""
    shapes = {
        "embeddings.token_embedding.weight": [49408, 768],
        "embeddings.position_embedding.weight": [77, 768],
    }
    for number in range(12):
        name = f"encoder.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= layer(f"{name}.self_attn.{part}", 768, 768)
        shapes |= layer(f"{name}.mlp.fc1", 3072, 768) | layer(f"{name}.mlp.fc2", 768, 3072)
        shapes |= layer(f"{name}.layer_norm1", 768) | layer(f"{name}.layer_norm2", 768)
    return shapes | layer("final_layer_norm", 768)


def numbered_entries(shapes: Shapes) -> Iterator[tuple[str, dict]]:
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * int(torch.tensor(shape).prod())
        yield name, {"dtype": "F16", "shape": shape, "data_offsets": [start, end]}


@pytest.fixture
def full_size(tmp_path: Path, checkpoint: Callable[[str], CheckpointFile]) -> CheckpointFile:
    parts = ((UNET, unet_shapes()), (VAE, vae_shapes()), (TEXT, text_shapes()))
    entries = dict(
        numbered_entries({prefix + name: shape for prefix, part in parts for name, shape in part.items()})
    )
    header = json.dumps(entries).encode()
    with (tmp_path / "v1-5.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + max(entry["data_offsets"][1] for entry in entries.values()))
    return checkpoint("v1-5.safetensors")


def shapes_of(module: torch.nn.Module) -> Shapes:
    return {name: list(parameter.shape) for name, parameter in module.named_parameters()}


def test_the_real_models_sizes_are_told_from_its_tensors(full_size: CheckpointFile, configs: Path) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768)
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
        tower = CLIPTextModel(
            CLIPTextConfig(**json.loads((configs / "clip-vit-large-patch14/config.json").read_text()))
        )
    with plan_model(full_size, configs) as plan:
        assert shapes_of(plan.unet) == shapes_of(unet)
        assert plan.unet.config.attention_head_dim == 8
        assert list(plan.unet.config.down_block_types) == list(unet.config.down_block_types)
        assert shapes_of(plan.vae) == shapes_of(vae)
        assert shapes_of(plan.text_encoders[0]) == shapes_of(tower)
        assert plan.text_encoders[0].config.num_attention_heads == 12
        assert plan.text_encoders[0].config.hidden_act == "quick_gelu"


SIZES = {
    "Stable Diffusion 2": {
        "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True,
    },
    "XL": {
        "block_out_channels": (320, 640, 1280), "transformer_layers_per_block": (1, 2, 10),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20), "use_linear_projection": True,
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    "XL refiner": {
        "block_out_channels": (384, 768, 1536, 1536), "transformer_layers_per_block": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 1280, "attention_head_dim": (6, 12, 24, 24), "use_linear_projection": True,
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2560,
    },
    "inpainting": {"cross_attention_dim": 768, "in_channels": 9},
    "instruct-pix2pix": {"cross_attention_dim": 768, "in_channels": 8},
}  # fmt: skip
"""As diffusers publishes them for the real models."""

LDM_INNER = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
LDM_OUTER = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}  # fmt: skip


def ldm_block(place: str, up_attention: list[bool]) -> str:
    """The name in the LDM layout of a block of diffusers' UNet with two layers a level."""
    side, level, kind, number = place.split(".")
    if side == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{3 * int(level) + 3}.0"
        return f"input_blocks.{3 * int(level) + int(number) + 1}.{int(kind == 'attentions')}"
    if kind == "upsamplers":
        return f"output_blocks.{3 * int(level) + 2}.{1 + up_attention[int(level)]}"
    return f"output_blocks.{3 * int(level) + int(number)}.{int(kind == 'attentions')}"


def ldm_name(name: str, unet: UNet2DConditionModel) -> str:
    place = next((outer for outer in LDM_OUTER if name.startswith(outer + ".")), None)
    attention = ["CrossAttn" in kind for kind in unet.config.up_block_types]
    if place:
        block = LDM_OUTER[place]
    else:
        place = ".".join(name.split(".")[:4])
        block = ldm_block(place, attention)
    rest = name[len(place) + 1 :]
    head, _, last = rest.rpartition(".")
    if "downsamplers" in place:
        head = "op"
    elif head in LDM_INNER:
        head = LDM_INNER[head]
    return f"{block}.{head}.{last}" if head else f"{block}.{last}"


@pytest.mark.parametrize("kind", SIZES)
def test_the_unets_of_all_families_are_told_from_their_tensors(kind: str) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SIZES[kind])
    tensors = {
        ldm_name(name, unet): Source(None, StoredTensor(tuple(shape), torch.float16, 0))
        for name, shape in shapes_of(unet).items()
    }
    layout = read_unet_layout(tensors)
    head = None if kind in ("inpainting", "instruct-pix2pix") else 64
    with torch.device("meta"):
        told = UNet2DConditionModel(**layout.config(8, head))
    assert shapes_of(told) == shapes_of(unet)
    assert {layout.diffusers_name(name) for name in tensors} == set(shapes_of(unet))
    processors = [
        [(name, part.heads) for name, part in each.named_modules() if hasattr(part, "to_q")]
        for each in (told, unet)
    ]
    assert processors[0] == processors[1]
