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
    threads: int | None = flag(
        None, "Threads of each worker on the processor; without it one for each physical core.", D,
        convert=int,
    )  # fmt: skip
    precision: str = flag(
        "autocast", "Number format of the model: full is float32.", D, choices=("full", "half", "autocast")
    )
    no_half: bool = flag(False, "Compute in float32 and have all weights so in memory, on processors too.", D)
    no_half_vae: bool = flag(False, "Keep the VAE in float32.", D)
    upcast_sampling: bool = flag(False, "Sample in float32 while the model stays in half precision.", D)
    xformers: bool = flag(
        False,
        "Use xformers' attention; it is installed where there is an NVIDIA card and a wheel that fits torch.",
        D,
    )
    force_enable_xformers: bool = flag(
        False, "--xformers that refuses to draw where xformers cannot compute.", D
    )
    opt_sdp_attention: bool = flag(False, "Use torch's own attention (the default).", D)
    opt_sdp_no_mem_attention: bool = flag(
        False, "Torch's own attention without its memory-saving kernels, for pictures that repeat exactly.", D
    )
    opt_split_attention: bool = flag(
        False, "Attention in slices where the free memory is too small for the whole.", D
    )
    opt_split_attention_v1: bool = flag(False, "Attention of two heads at a time.", D)
    opt_split_attention_invokeai: bool = flag(False, "Attention in slices of 32 MiB.", D)
    opt_sub_quad_attention: bool = flag(False, "Attention in chunks: least memory.", D)
    sub_quad_q_chunk_size: int = flag(
        1024, "How many queries --opt-sub-quad-attention looks at together.", D, convert=int
    )
    sub_quad_kv_chunk_size: int | None = flag(
        None,
        "How many keys it looks at together; without it as many as the free memory allows.",
        D,
        convert=int,
    )  # fmt: skip
    sub_quad_chunk_threshold: int | None = flag(
        None,
        "Percent of the free memory from which it cuts keys: 70 without it, 0 for always.",
        D,
        convert=int,
    )  # fmt: skip
    disable_opt_split_attention: bool = flag(False, "Plain attention, never in slices.", D)
    medvram: bool = flag(
        False, "One part of the model at a time on the card: text encoders, UNet, VAE. docs/memory.md.", D
    )
    medvram_sdxl: bool = flag(False, "--medvram for Stable Diffusion XL and its refiner only.", D)
    lowvram: bool = flag(False, "Like --medvram, and the UNet layer by layer: least memory, slower.", D)
    disable_nan_check: bool = flag(
        False, "Do not look for NaN in pictures: what is none is black, and nothing is decoded again.", D
    )
    opt_channelslast: bool = flag(False, "Keep 4-D tensors channels-last, on cards too.", D)
    skip_torch_cuda_test: bool = flag(False, "Do not say so when torch cannot use a graphics card.", D)
    skip_load_model_at_start: bool = flag(False, "Load the checkpoint with the first picture.", D)
