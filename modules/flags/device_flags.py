"""Flags of the device, of number formats, attention and memory."""

from dataclasses import dataclass

from modules.flags.declare import FlagGroup, flag

__all__ = ["DeviceFlags"]

D = FlagGroup.DEVICE


@dataclass(frozen=True, kw_only=True)
class DeviceFlags:
    """Where and how pictures are computed."""

    use_cpu: tuple[str, ...] = flag(
        (), "Compute on the CPU: all, or some of sd, interrogate, gfpgan, esrgan, codeformer.", D,
        nargs="+", convert=str.lower,
    )  # fmt: skip
    use_ipex: bool = flag(False, "Compute on an Intel card (XPU).", D)
    device_id: str | None = flag(None, "Number of the graphics card to use.", D)
    precision: str = flag(
        "autocast", "Number format of the model: full is float32.", D, choices=("full", "half", "autocast")
    )
    no_half: bool = flag(False, "Keep the model in float32.", D)
    no_half_vae: bool = flag(False, "Keep the VAE in float32.", D)
    upcast_sampling: bool = flag(False, "Sample in float32 while the model stays in half precision.", D)
    xformers: bool = flag(False, "Use xformers' attention if it is installed.", D)
    force_enable_xformers: bool = flag(False, "--xformers, also on cards it does not know.", D)
    opt_sdp_attention: bool = flag(False, "Use torch's own attention (the default).", D)
    opt_sdp_no_mem_attention: bool = flag(
        False, "Torch's own attention without its memory-saving kernels, for pictures that repeat exactly.", D
    )
    opt_split_attention: bool = flag(False, "Attention in slices: less memory, slower.", D)
    opt_split_attention_v1: bool = flag(False, "Like --opt-split-attention.", D)
    opt_split_attention_invokeai: bool = flag(False, "Like --opt-split-attention.", D)
    opt_sub_quad_attention: bool = flag(False, "Attention in chunks: least memory.", D)
    disable_opt_split_attention: bool = flag(False, "Plain attention, never in slices.", D)
    medvram: bool = flag(
        False, "One part of the model at a time on the card: text encoders, UNet, VAE. docs/memory.md.", D
    )
    medvram_sdxl: bool = flag(False, "--medvram for Stable Diffusion XL and its refiner only.", D)
    lowvram: bool = flag(False, "Like --medvram, and the UNet layer by layer: least memory, slower.", D)
    disable_model_loading_ram_optimization: bool = flag(
        False, "Load checkpoints without mapping the file into memory.", D
    )
    skip_load_model_at_start: bool = flag(False, "Load the checkpoint with the first picture.", D)
