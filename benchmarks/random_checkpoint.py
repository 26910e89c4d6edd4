"""A checkpoint of SD 1.5's size with small random weights, to measure speed and memory without a download."""

import json
import struct
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from tools.embedded_model.export import unet_to_ldm, vae_to_ldm

__all__ = ["parts_of_sd15", "shapes_of_sd15", "write_random_sd15"]

DEVIATION = 0.02


def parts_of_sd15() -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """The modules of Stable Diffusion 1.5 without memory."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
        vae = AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            block_out_channels=[128, 256, 512, 512],
            layers_per_block=2,
            latent_channels=4,
        )
        text = CLIPTextModel(
            CLIPTextConfig(
                hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
            )
        )
    return unet, vae, text


def shapes_of_sd15() -> dict[str, torch.Size]:
    """Names and shapes of every tensor of Stable Diffusion 1.5 in the field's layout."""
    unet, vae, text = parts_of_sd15()
    text_tensors = {
        f"text_model.{name.removeprefix('text_model.')}": t for name, t in text.state_dict().items()
    }
    parts = {
        "model.diffusion_model.": unet_to_ldm(unet),
        "first_stage_model.": vae_to_ldm(vae),
        "cond_stage_model.transformer.": text_tensors,
    }
    return {prefix + name: t.shape for prefix, part in parts.items() for name, t in part.items()}


def write_random_sd15(path: Path) -> None:
    """Write float16 weights, tensor by tensor, about 2 GB."""
    shapes = shapes_of_sd15()
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 2 * shape.numel()
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    generator = torch.Generator().manual_seed(0)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            weights = torch.randn(shape, generator=generator).mul_(DEVIATION).half()
            file.write(weights.numpy().tobytes())
