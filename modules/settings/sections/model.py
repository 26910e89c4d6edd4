"""Stable Diffusion, its VAE, optimizations, and habits of older versions."""

from typing import Annotated, ClassVar, Literal

from modules.settings.checks import NameBeforeDash, NothingIsAutomatic
from modules.settings.declare import ChoiceSource, Section, option

__all__ = ["Compatibility", "Optimizations", "StableDiffusion", "StableDiffusionXl", "Vae"]


class StableDiffusion(Section):
    """The checkpoint and how prompts and noise are read."""

    section_id: ClassVar[str] = "sd"
    section_title: ClassVar[str] = "Stable Diffusion"
    affects_pixels: ClassVar[bool] = True

    sd_model_checkpoint: str | None = option(
        None,
        "Stable Diffusion checkpoint",
        help="Empty: the first one found.",
        source=ChoiceSource.CHECKPOINTS,
    )
    sd_checkpoints_limit: int = option(
        1, "Maximum number of checkpoints loaded at the same time", ge=1, le=10, affects_pixels=False,
        help="Those used before stay in memory, so that coming back to one costs nothing, as long as the "
        "memory suffices for what is to be drawn. A job's own refiner and hires checkpoint are loaded beside "
        "its first in any case.",
    )  # fmt: skip
    sd_checkpoints_keep_in_cpu: bool = option(
        True, "Only keep one model on device", affects_pixels=False,
        help="The others of those wait in the machine's own memory, not in the device's.",
    )  # fmt: skip
    sd_checkpoint_cache: int = option(
        0, "Checkpoints to cache in RAM", ge=0, le=10, affects_pixels=False,
        help="That many more wait in the machine's own memory. An older form of the two settings above.",
    )  # fmt: skip
    enable_quantization: bool = option(
        False,
        "Enable quantization in K samplers for sharper and cleaner results",
        help="The model is only asked at the whole times that it was trained at.",
    )
    emphasis: Literal["None", "Ignore", "Original", "No norm"] = option(
        "Original",
        "Emphasis mode",
        help="What (more:1.2) and [less] do. None: the characters are text; Ignore: they are left out; "
        "No norm: without bringing the mean back.",
    )
    enable_prompt_comments: bool = option(
        True, "Enable comments", help="Text from # to the end of the line is left out."
    )
    comma_padding_backtrack: int = option(
        20,
        "Prompt word wrap length limit",
        help="In tokens: words after the last comma go to the next chunk of 75 when they would be cut.",
        ge=0,
        le=74,
    )
    CLIP_stop_at_last_layers: int = option(
        1, "Clip skip", help="1: all layers of the text encoder; 2: all but the last.", ge=1, le=12
    )
    upcast_attn: bool = option(False, "Upcast cross attention layer to float32")
    randn_source: Literal["GPU", "CPU", "NV"] = option(
        "GPU",
        "Random number generator source",
        help="CPU gives the same pictures on every machine; NV those of an NVIDIA card.",
    )
    tiling: bool = option(False, "Tiling", help="Pictures that continue at their edges.")
    inpainting_mask_weight: float = option(
        1.0, "Inpainting conditioning mask strength", ge=0, le=1, step=0.01,
        help="For inpainting checkpoints: how much of the masked picture is hidden from the model.",
    )  # fmt: skip
    sd_noise_schedule: Literal["Default", "Zero Terminal SNR"] = option(
        "Default", "Noise schedule for sampling",
        help="Zero Terminal SNR: for checkpoints that were trained so and do not say it.",
    )  # fmt: skip
    hires_fix_refiner_pass: Literal["first pass", "second pass", "both passes"] = option(
        "second pass", "Hires fix: which pass to enable refiner for"
    )
    refiner_switch_by_sample_steps: bool = option(
        False, "Switch to the refiner by sampling steps instead of by the model's time"
    )


class StableDiffusionXl(Section):
    """What Stable Diffusion XL is told about a picture besides the prompt."""

    section_id: ClassVar[str] = "sdxl"
    section_title: ClassVar[str] = "Stable Diffusion XL"
    affects_pixels: ClassVar[bool] = True

    sdxl_crop_top: int = option(0, "Crop top coordinate", ge=0, le=8192)
    sdxl_crop_left: int = option(0, "Crop left coordinate", ge=0, le=8192)
    sdxl_refiner_low_aesthetic_score: float = option(
        2.5, "Low aesthetic score", ge=0, le=10, step=0.1,
        help="What a refiner is told about the negative prompt.",
    )  # fmt: skip
    sdxl_refiner_high_aesthetic_score: float = option(
        6.0, "High aesthetic score", ge=0, le=10, step=0.1,
        help="What a refiner is told about the prompt.",
    )  # fmt: skip


class Vae(Section):
    """The part of the model between latents and pixels."""

    section_id: ClassVar[str] = "vae"
    section_title: ClassVar[str] = "VAE"
    affects_pixels: ClassVar[bool] = True

    sd_vae: Annotated[str, NothingIsAutomatic] = option(
        "Automatic",
        "SD VAE",
        help="None: the checkpoint's own; Automatic: the file beside the checkpoint with its name, if any.",
        source=ChoiceSource.VAES,
    )
    auto_vae_precision_bfloat16: bool = option(
        False, "Automatically convert VAE to bfloat16", help="In place of float16."
    )
    vae_strips: Literal["Automatic", "From a size", "Never"] = option(
        "Automatic", "Large pictures in strips", affects_pixels=False,
        help="A picture that does not fit into the memory as a whole is decoded and encoded a few rows at a "
        "time: the same picture within rounding, but slower. Automatic: only where it would not fit.",
    )  # fmt: skip
    vae_strips_from: int = option(
        2048, "Strips from a square of", ge=64, le=8192, step=64, affects_pixels=False,
        help="Side in pixels: with \"From a size\", pictures of at least as many pixels are coded in strips.",
    )  # fmt: skip


class Optimizations(Section):
    """What is left out or joined to be faster."""

    section_id: ClassVar[str] = "optimizations"
    section_title: ClassVar[str] = "Optimizations"
    affects_pixels: ClassVar[bool] = True

    cross_attention_optimization: Annotated[
        Literal[
            "Automatic",
            "sdp",
            "sdp-no-mem",
            "xformers",
            "sub-quadratic",
            "V1",
            "InvokeAI",
            "Doggettx",
            "None",
        ],
        NameBeforeDash,
    ] = option(
        "Automatic",
        "Cross attention optimization",
        help="Automatic: the one that a flag names, else torch's own, the fastest. sub-quadratic, V1, "
        "InvokeAI and Doggettx make the matrix of attention in parts, where torch would make it whole.",
    )
    s_min_uncond: float = option(
        0.0,
        "Negative Guidance minimum sigma",
        help="Below it the negative prompt is left out of every other step: faster. 0: never.",
        ge=0,
        le=15,
        step=0.01,
    )
    pad_cond_uncond: bool = option(
        False,
        "Pad prompt/negative prompt",
        help="To the same length, so that both are computed at once; changes the picture.",
    )
    pad_cond_uncond_v0: bool = option(
        False,
        "Pad prompt/negative prompt (v0)",
        help="As before version 1.6.0: the negative prompt alone, by its last token, or cut off. It comes "
        "before the setting above.",
    )
    token_merging_ratio: float = option(
        0.0, "Token merging ratio", ge=0, le=0.9, step=0.1,
        help="Share of the picture's tokens that attention sees merged into others: faster, and coarser. "
        "0: none.",
    )  # fmt: skip
    token_merging_ratio_img2img: float = option(
        0.0, "Token merging ratio for img2img", ge=0, le=0.9, step=0.1, help="0: as above."
    )
    token_merging_ratio_hr: float = option(
        0.0, "Token merging ratio for high-res pass", ge=0, le=0.9, step=0.1, help="0: as above."
    )
    persistent_cond_cache: bool = option(
        True,
        "Persistent cond cache",
        help="Prompts that did not change are not encoded again.",
        affects_pixels=False,
    )
    batch_cond_uncond: bool = option(
        True, "Batch cond/uncond", help="Compute prompt and negative prompt at once; uses more memory."
    )
    memory_forecast: bool = option(
        True,
        "Refuse what does not fit into the memory",
        help="Before a request is accepted, the memory that it will take is forecast from its size and its "
        "checkpoint. Without this, what does not fit fails while it is drawn, or ends the program.",
        affects_pixels=False,
    )
    cpu_threads: int = option(
        0,
        "Threads that draw on a processor",
        help="0: as --threads says, else one for each physical core; more only wait for each other. "
        "The number decides how sums are rounded, so pictures remember it.",
        ge=0,
        le=1024,
        affects_pixels=False,
    )
    fp8_storage: Literal["Disable", "Enable for SDXL", "Enable"] = option(
        "Disable", "FP8 weight",
        help="Weights are kept in 8 bits and made wide a layer at a time: half the memory, a little slower, "
        "and pictures that differ. The checkpoint is loaded again.",
    )  # fmt: skip
    cache_fp16_weight: bool = option(
        False, "Cache FP16 weight for LoRA",
        help="With FP8 weight: exact copies stay in the machine's own memory, for LoRAs to be added to.",
    )  # fmt: skip
    exact_batches: bool = option(
        False,
        "Exact batches",
        help="Each picture of a batch is computed alone: the same bits as without a batch, but slower.",
    )


class Compatibility(Section):
    """Habits of older versions, to make their pictures again."""

    section_id: ClassVar[str] = "compatibility"
    section_title: ClassVar[str] = "Compatibility"
    affects_pixels: ClassVar[bool] = True

    auto_backcompat: bool = option(
        True,
        "Automatic backward compatibility",
        help="When parameters of an older version are pasted, its habits are set.",
        affects_pixels=False,
    )
    use_old_karras_scheduler_sigmas: bool = option(False, "Use old karras scheduler sigmas (0.1 to 10)")
    use_downcasted_alpha_bar: bool = option(
        False,
        "Downcast model alphas_cumprod to fp16 before sampling",
        help="The noise levels are rounded, as versions before 1.8.0 did with half precision.",
    )
    hires_fix_use_firstpass_conds: bool = option(
        False,
        "For hires fix, calculate conds of second pass using extra networks of first pass",
        help="The prompts are encoded before the first pass's networks give way to the second's.",
    )
    use_old_scheduling: bool = option(
        False, "Use old scheduling of prompt editing", help="The hires pass counts from the start again."
    )
