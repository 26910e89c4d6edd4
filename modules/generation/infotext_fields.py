"""What a run writes into the generation text of a picture."""

from collections.abc import Mapping
from typing import Any

from modules.generation.drawn import ModelFacts
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.run import Run
from modules.generation.token_merging import hires_ratio, merging_ratio
from modules.infotext import GenerationText, write_infotext
from modules.sampling import writes_ensd
from modules.version import PROGRAM

__all__ = ["infotext_of_picture", "model_fields"]

Fields = dict[str, Any]


def _size(width: int, height: int) -> str | None:
    return f"{width}x{height}" if width > 0 and height > 0 else None


def model_fields(model: ModelFacts, run: Run) -> Fields:
    """Names and hashes of the checkpoint and, when one was chosen, of the VAE."""
    options = run.options
    return {
        "Model hash": model.short_hash if options.add_model_hash_to_info else None,
        "Model": model.stem if options.add_model_name_to_info else None,
        "FP8 weight": options.fp8_storage if model.in_eight_bits else None,
        "Cache FP16 weight for LoRA": options.cache_fp16_weight if model.in_eight_bits else None,
        "VAE hash": model.vae_short_hash if options.add_vae_hash_to_info else None,
        "VAE": model.vae_name if options.add_vae_name_to_info else None,
    }


def _variation_fields(run: Run, picture: int) -> Fields:
    request = run.request
    strength = request.subseed_strength
    return {
        "Variation seed": run.seeds.subseeds[picture] if strength else None,
        "Variation seed strength": strength or None,
        "Seed resize from": _size(request.seed_resize_from_w, request.seed_resize_from_h),
    }


def _picture_scale(run: Run) -> float | None:
    return run.request.image_cfg_scale if isinstance(run.request, Img2ImgRequest) else None


def _setting_fields(run: Run) -> Fields:
    options = run.options
    return {
        "Clip skip": options.CLIP_stop_at_last_layers if options.CLIP_stop_at_last_layers > 1 else None,
        "ENSD": options.eta_noise_seed_delta or None
        if writes_ensd(run.sampler, run.sampler_settings, run.schedule)
        else None,
        "Token merging ratio": merging_ratio(run) or None,
        "Token merging ratio hr": hires_ratio(run) or None if run.hires else None,
        "RNG": options.randn_source if options.randn_source != "GPU" else None,
        "NGMS": run.sampler_settings.s_min_uncond or None,
        "Tiling": run.tiling or None,
        "Noise Schedule": options.sd_noise_schedule if options.sd_noise_schedule != "Default" else None,
    }


def infotext_of_picture(
    run: Run, model: ModelFacts, picture: int, version: str, extra: Mapping[str, Any]
) -> str:
    """The generation text of picture number `picture` (0-based); `extra` stands behind the fixed fields, in
    its order.

    Order and presence of the fields: BEHAVIOUR section 12.
    """
    request = run.request
    fields: Fields = {
        "Steps": request.steps,
        "Sampler": run.sampler.name,
        "Schedule type": run.schedule.name if run.sampler.uses_sigmas else None,
        "CFG scale": request.cfg_scale,
        "Image CFG scale": _picture_scale(run) if model.edits_pictures else None,
        "Seed": run.seeds.seeds[picture],
        "Size": _size(request.width, request.height),
        **model_fields(model, run),
        **_variation_fields(run, picture),
        "Denoising strength": extra.get("Denoising strength"),
        "Conditional mask weight": run.options.inpainting_mask_weight if model.is_inpainting else None,
        **_setting_fields(run),
        **{key: value for key, value in extra.items() if key != "Denoising strength"},
        "Version": f"{PROGRAM} {version}" if run.options.add_version_to_infotext else None,
    }
    given = {key: str(value) for key, value in fields.items() if value is not None}
    return write_infotext(GenerationText(run.prompt, run.negative_prompt, given))
