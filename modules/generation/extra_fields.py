"""The fields of the generation text that a run adds behind the fixed ones."""

from typing import Any

from modules.generation.run import Run
from modules.sampling import sampler_infotext

__all__ = ["extra_fields"]


def _hires_fields(run: Run) -> dict[str, Any]:
    request, hires = run.request, run.hires
    if hires is None:
        return {}
    resized = bool(request.hr_resize_x or request.hr_resize_y)
    fields = {
        "Denoising strength": hires.strength,
        "Hires sampler": hires.sampler.name if hires.sampler != run.sampler else None,
        "Hires schedule type": hires.schedule.name if hires.schedule != run.schedule else None,
        "Hires checkpoint": hires.checkpoint,
        "Hires prompt": request.hr_prompt if request.hr_prompt not in ("", request.prompt) else None,
        "Hires negative prompt": (
            request.hr_negative_prompt
            if request.hr_negative_prompt not in ("", request.negative_prompt)
            else None
        ),
        "Hires upscale": None if resized else request.hr_scale,
        "Hires resize": f"{request.hr_resize_x}x{request.hr_resize_y}" if resized else None,
        "Hires steps": request.hr_second_pass_steps or None,
        "Hires upscaler": hires.upscaler,
    }
    return {key: value for key, value in fields.items() if value is not None}


def extra_fields(run: Run) -> dict[str, Any]:
    """What the hires pass, the sampler and the reading of the prompts add, in the order of the text."""
    options = run.options
    fields = {**_hires_fields(run), **sampler_infotext(run.sampler, run.schedule, run.sampler_settings)}
    if options.emphasis != "Original":
        fields["Emphasis"] = options.emphasis
    if options.pad_cond_uncond:
        fields["Pad conds"] = True
    return fields
