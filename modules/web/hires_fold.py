"""The fold "Hires. fix" of txt2img: draw small, enlarge, draw the details once more."""

import gradio as gr

from modules.web.form import Form
from modules.web.menus import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULER, Menus
from modules.web.widgets import input_fold

__all__ = ["hires_fold"]

Choices = list[str | tuple[str, str]]


def hires_fold(form: Form, menus: Menus) -> None:
    """Lay the fold out into `form`."""
    info = "Draw small, enlarge, and draw the details once more"
    with input_fold("Hires. fix", form.element_id("hr"), form.element_id("hr_resolution"), info) as enabled:
        form.adopt("enable_hr", enabled)
        with gr.Row(elem_classes=["form-row"]):
            form.menu(
                "hr_upscaler", "Upscaler", "hr_upscaler", menus.upscalers, menus.upscalers[0], min_width=140
            )
            form.slider("hr_second_pass_steps", "Hires steps", "hires_steps", 0, 150, 1, 0)
            form.slider("denoising_strength", "Denoising strength", "denoising_strength", 0.0, 1.0, 0.01, 0.7)
        with gr.Row(elem_classes=["form-row"]):
            form.slider("hr_scale", "Upscale by", "hr_scale", 1.0, 4.0, 0.05, 2.0)
            form.slider("hr_resize_x", "Resize width to", "hr_resize_x", 0, 2048, 8, 0)
            form.slider("hr_resize_y", "Resize height to", "hr_resize_y", 0, 2048, 8, 0)
        with gr.Row(elem_id=form.element_id("hires_samplers"), elem_classes=["form-row"]):
            checkpoints: Choices = [SAME_CHECKPOINT, *menus.checkpoints]
            samplers: Choices = [SAME_SAMPLER, *menus.samplers]
            schedules: Choices = [SAME_SCHEDULER, *menus.schedules]
            form.menu(
                "hr_checkpoint_name",
                "Hires checkpoint",
                "hr_checkpoint",
                checkpoints,
                SAME_CHECKPOINT,
                min_width=120,
            )
            form.menu(
                "hr_sampler_name",
                "Hires sampling method",
                "hr_sampler",
                samplers,
                SAME_SAMPLER,
                min_width=120,
            )
            form.menu(
                "hr_scheduler",
                "Hires schedule type",
                "hr_scheduler",
                schedules,
                SAME_SCHEDULER,
                min_width=120,
            )
        with gr.Row(elem_id=form.element_id("hires_prompts"), elem_classes=["form-row"]):
            same = "Empty: the same as above."
            form.text(
                "hr_prompt", "Hires prompt", "hr_prompt", placeholder=same, lines=2, elem_classes=["prompt"]
            )
            form.text(
                "hr_negative_prompt",
                "Hires negative prompt",
                "hr_neg_prompt",
                placeholder=same,
                lines=2,
                elem_classes=["prompt"],
            )
