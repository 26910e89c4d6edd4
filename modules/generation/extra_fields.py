"""The fields of the generation text that a run adds behind the fixed ones."""

from typing import Any

from modules.generation.drawn import ModelFacts
from modules.generation.img2img_request import Img2ImgRequest, MaskedContent
from modules.generation.refiner import refiner_fields
from modules.generation.run import HiresRun, Run
from modules.generation.txt2img_request import Txt2ImgRequest
from modules.sampling import sampler_infotext

__all__ = ["extra_fields", "mask_fields"]

MASKED_CONTENT = {
    MaskedContent.FILL: "fill",
    MaskedContent.LATENT_NOISE: "latent noise",
    MaskedContent.LATENT_NOTHING: "latent nothing",
}


def _hires_fields(run: Run, model: ModelFacts | None) -> dict[str, Any]:
    request, hires = run.request, run.hires
    if hires is None or not isinstance(request, Txt2ImgRequest):
        return {}
    resized = bool(request.hr_resize_x or request.hr_resize_y)
    fields = {
        "Denoising strength": hires.strength,
        "Hires sampler": hires.sampler.name if hires.sampler != run.sampler else None,
        "Hires schedule type": hires.schedule.name if hires.schedule != run.schedule else None,
        "Hires checkpoint": _hires_checkpoint(hires, model),
        # As they are drawn, as the prompts before them.
        "Hires prompt": hires.prompt if hires.prompt != run.prompt else None,
        "Hires negative prompt": (
            hires.negative_prompt if hires.negative_prompt != run.negative_prompt else None
        ),
        "Hires upscale": None if resized else request.hr_scale,
        "Hires resize": f"{request.hr_resize_x}x{request.hr_resize_y}" if resized else None,
        "Hires steps": request.hr_second_pass_steps or None,
        "Hires upscaler": hires.upscaler,
        "Extra noise": run.options.img2img_extra_noise or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _hires_checkpoint(hires: HiresRun, model: ModelFacts | None) -> str | None:
    """The hires pass's own checkpoint: as its files name it, where they are known, else as asked for."""
    if hires.checkpoint is None or model is None:
        return hires.checkpoint
    return (model.second or model.files).short_title


def _redraw_fields(run: Run) -> dict[str, Any]:
    request = run.request
    if not isinstance(request, Img2ImgRequest):
        return {}
    multiplier = request.initial_noise_multiplier
    multiplier = run.options.initial_noise_multiplier if multiplier is None else multiplier
    extra = run.options.img2img_extra_noise
    fields: dict[str, Any] = {
        "Denoising strength": request.denoising_strength,
        "Luma strength": request.luma_strength,
        "Chroma strength": request.chroma_strength,
        **(mask_fields(request) if request.mask is not None else {}),
        "Noise multiplier": multiplier if multiplier != 1 else None,
        "Extra noise": extra or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def mask_fields(request: Img2ImgRequest) -> dict[str, Any]:
    """What a mask adds: that which is not as usual."""
    across, down = request.blur
    only_masked = request.inpaint_full_res
    fields = {
        "Mask mode": "Inpaint not masked" if request.inpainting_mask_invert else None,
        "Mask blur": across if across == down and across > 0 else None,
        "Inpaint area": "Only masked" if only_masked else None,
        "Masked area padding": request.inpaint_full_res_padding if only_masked else None,
        "Masked content": MASKED_CONTENT.get(request.inpainting_fill),
    }
    return {key: value for key, value in fields.items() if value is not None}


def extra_fields(run: Run, model: ModelFacts | None = None) -> dict[str, Any]:
    """What the passes, the sampler, the reading of the prompts and a refiner add, in the order of the text.

    `model`: the facts about who draws, where they are known yet.
    """
    options = run.options
    fields = {
        **_hires_fields(run, model),
        **_redraw_fields(run),
        **(run.order.script.fields if run.order.script else {}),
        **sampler_infotext(run.sampler, run.schedule, run.sampler_settings),
    }
    if options.emphasis != "Original":
        fields["Emphasis"] = options.emphasis
    if options.pad_cond_uncond:
        fields["Pad conds"] = True
    if options.pad_cond_uncond_v0:
        fields["Pad conds v0"] = True
    if options.use_old_scheduling:
        fields["Old prompt editing timelines"] = True
    if options.use_downcasted_alpha_bar:
        fields["Downcast alphas_cumprod"] = True
    # One of the same files takes nothing over.
    other = model.refiner if model and model.refiner != model.files else None
    return {**fields, **refiner_fields(run.refiner, other)}
