"""The trained modules as one file in the layout of Stable Diffusion 1, and the configuration beside it."""

import math
import re
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

from tools.embedded_model.diffusion import TOKENS, VOCABULARY, Drawer, alphas_cumprod

__all__ = [
    "LATENT_SCALE",
    "export",
    "normalise_latents",
    "normalised",
    "text_to_ldm",
    "unet_to_ldm",
    "vae_to_ldm",
]

LATENT_SCALE = 0.18215
POSTERIOR_DEVIATION = 0.02
Tensors = dict[str, Tensor]

RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")


def _renamed(name: str, table: dict[str, str]) -> str:
    for ours, theirs in table.items():
        if name == ours or name.startswith(ours + "."):
            return theirs + name[len(ours) :]
    return name


def _unet_block_name(match: re.Match[str], layers: int) -> str:
    """The name of a tensor in the blocks that go down or up, which the layout numbers through.

    A downsampler has a number of its own; an upsampler is its block's last part (2 behind attention).
    """
    way, block, kind, layer, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    number = block * (layers + 1) + (layer if kind in ("resnets", "attentions") else layers)
    place = f"input_blocks.{number + 1}" if way == "down" else f"output_blocks.{number}"
    if kind == "resnets":
        return f"{place}.0.{_renamed(rest, RESNET)}"
    if kind == "attentions":
        return f"{place}.1.{rest}"
    if kind == "downsamplers":
        return f"{place}.0.{rest.replace('conv', 'op', 1)}"
    return f"{place}.{1 if block == 0 else 2}.{rest}"


def _unet_name(name: str, layers: int) -> str:
    """The layout's name for the tensor `name` of diffusers' UNet with `layers` in a block."""
    if match := BLOCK.match(name):
        return _unet_block_name(match, layers)
    if match := re.match(r"mid_block\.resnets\.(\d)\.(.+)", name):
        return f"middle_block.{int(match[1]) * 2}.{_renamed(match[2], RESNET)}"
    if match := re.match(r"mid_block\.attentions\.0\.(.+)", name):
        return f"middle_block.1.{match[1]}"
    return _renamed(name, UNET_ENDS)


def unet_to_ldm(unet: UNet2DConditionModel) -> Tensors:
    """`unet`'s tensors under the layout's names."""
    layers = unet.config.layers_per_block
    return {_unet_name(name, layers): tensor for name, tensor in unet.state_dict().items()}


def _vae_name(name: str, levels: int) -> str:
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    if match := re.match(r"(.+)\.mid_block\.attentions\.0\.(.+)", name):
        return f"{match[1]}.mid.attn_1.{_renamed(match[2], VAE_ATTENTION)}"
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(
        r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}.block.{m[2]}", name
    )
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def vae_to_ldm(vae: AutoencoderKL) -> Tensors:
    """`vae`'s tensors under the layout's names; its attention's linear layers are 1x1 convolutions there."""
    levels = len(vae.config.block_out_channels)
    renamed = {_vae_name(name, levels): tensor for name, tensor in vae.state_dict().items()}
    is_linear = re.compile(r"mid\.attn_1\.(q|k|v|proj_out)\.weight$")
    return {name: t[:, :, None, None] if is_linear.search(name) else t for name, t in renamed.items()}


def channel_statistics(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (4,) and standard deviation (4,) of the channels of `latents` (concepts, styles, 4, 16, 16)."""
    return latents.mean((0, 1, 3, 4)), latents.std((0, 1, 3, 4))


def normalised(latents: Tensor) -> Tensor:
    """`latents` (concepts, styles, 4, 16, 16) with mean 0 and standard deviation 1 in every channel."""
    mean, deviation = channel_statistics(latents)
    return (latents - mean[:, None, None]) / deviation[:, None, None]


def normalise_latents(tensors: Tensors, mean: Tensor, deviation: Tensor) -> Tensors:
    """The VAE's tensors, changed so that latents times LATENT_SCALE have mean 0 and deviation 1 by channel.

    So far they have `mean` and `deviation` (4,). The last layer of the encoder and the first of the decoder,
    both 1x1 convolutions, take it up; the variance, which was not trained, is set to a small constant.
    """
    changed = dict(tensors)
    weight, bias = changed["quant_conv.weight"].clone(), changed["quant_conv.bias"].clone()
    size = (deviation * LATENT_SCALE).to(weight)
    channels = len(mean)
    weight[:channels] /= size[:, None, None, None]
    bias[:channels] = (bias[:channels] - mean.to(bias)) / size
    weight[channels:] = 0
    bias[channels:] = 2 * math.log(POSTERIOR_DEVIATION / LATENT_SCALE)
    first = changed["post_quant_conv.weight"]
    changed["post_quant_conv.weight"] = first * size[None, :, None, None]
    changed["post_quant_conv.bias"] = changed["post_quant_conv.bias"] + first[:, :, 0, 0] @ mean.to(first)
    return {**changed, "quant_conv.weight": weight, "quant_conv.bias": bias}


def text_to_ldm(drawer: Drawer) -> Tensors:
    """The text encoder's tensors with the whole vocabulary; words that no caption used are zeros."""
    tensors = {
        f"text_model.{name.removeprefix('text_model.')}": t for name, t in drawer.text.state_dict().items()
    }
    name = "text_model.embeddings.token_embedding.weight"
    learned = tensors[name]
    table = torch.zeros(VOCABULARY, learned.shape[1])
    table[torch.tensor(drawer.tokens)] = learned.cpu()
    positions = torch.arange(TOKENS)[None]
    return {**tensors, name: table, "text_model.embeddings.position_ids": positions}


def _schedule() -> Tensors:
    """The noise schedule as checkpoints carry it, in float32."""
    levels = alphas_cumprod()
    betas = 1 - levels / torch.cat([torch.ones(1), levels[:-1]])
    return {"alphas_cumprod": levels, "betas": betas}


def _stored(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.to(torch.float16) if tensor.is_floating_point() else tensor


def export(drawer: Drawer, vae: AutoencoderKL, latents: Tensor, path: Path, metadata: dict[str, str]) -> int:
    """Write the checkpoint in float16 to `path`, and the configuration beside it; the file's size in bytes.

    `latents` (concepts, styles, 4, 16, 16) are the VAE's own; the drawer learnt from them `normalised`.
    """
    mean, deviation = channel_statistics(latents)
    parts = {
        "model.diffusion_model.": unet_to_ldm(drawer.unet),
        "first_stage_model.": normalise_latents(vae_to_ldm(vae), mean, deviation),
        "cond_stage_model.transformer.": text_to_ldm(drawer),
    }
    tensors = {prefix + name: _stored(t) for prefix, part in parts.items() for name, t in part.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    save_file({**tensors, **_schedule()}, unfinished, metadata={"format": "pt", **metadata})
    unfinished.replace(path)
    path.chmod(0o644)  # the writer of the format makes it private
    path.with_suffix(".yaml").write_text(_configuration(drawer.unet, vae))
    return path.stat().st_size


def _configuration(unet: UNet2DConditionModel, vae: AutoencoderKL) -> str:
    """The configuration as the field's checkpoints have it."""
    attended = [2**n for n, kind in enumerate(unet.config.down_block_types) if "CrossAttn" in kind][::-1]
    widths, vae_widths = unet.config.block_out_channels, vae.config.block_out_channels
    return f"""\
model:
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    linear_start: 0.00085
    linear_end: 0.0120
    timesteps: 1000
    first_stage_key: jpg
    cond_stage_key: txt
    image_size: 16
    channels: 4
    conditioning_key: crossattn
    scale_factor: {LATENT_SCALE}
    use_ema: False
    unet_config:
      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
      params:
        image_size: 16
        in_channels: 4
        out_channels: 4
        model_channels: {widths[0]}
        attention_resolutions: {attended}
        num_res_blocks: {unet.config.layers_per_block}
        channel_mult: {[width // widths[0] for width in widths]}
        num_heads: {unet.config.attention_head_dim}
        use_spatial_transformer: True
        transformer_depth: 1
        context_dim: {unet.config.cross_attention_dim}
        legacy: False
    first_stage_config:
      target: ldm.models.autoencoder.AutoencoderKL
      params:
        embed_dim: 4
        ddconfig:
          double_z: true
          z_channels: 4
          resolution: 128
          in_channels: 3
          out_ch: 3
          ch: {vae_widths[0]}
          ch_mult: {[width // vae_widths[0] for width in vae_widths]}
          num_res_blocks: {vae.config.layers_per_block}
          attn_resolutions: []
          dropout: 0.0
        lossconfig:
          target: torch.nn.Identity
    cond_stage_config:
      target: ldm.modules.encoders.modules.FrozenCLIPEmbedder
"""
