"""The left column of a generation tab: sampling, hires fix, size, batches, guidance, seed."""

import gradio as gr

from modules.web.form import OVERRIDES, VARIATION_SHOWN, Form
from modules.web.menus import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULER, Menus
from modules.web.widgets import icon_button, input_fold

__all__ = ["PanelButtons", "generation_panel"]

PanelButtons = dict[str, gr.Button]
Choices = list[str | tuple[str, str]]


def generation_panel(form: Form, menus: Menus, size: tuple[int, int]) -> PanelButtons:
    """Lay out the controls into `form`; gives the buttons that act on them.

    `size` is the first width and height.
    """
    with gr.Column(
        elem_id=form.element_id("settings"), elem_classes=["settings-column"], min_width=320, scale=1
    ):
        _sampling(form, menus)
        with gr.Column(elem_id=form.element_id("accordions"), elem_classes=["accordions"], min_width=0):
            _hires(form, menus)
        buttons = _size_and_batches(form, size)
        form.slider("cfg_scale", "CFG Scale", "cfg_scale", 1.0, 30.0, 0.5, 7.0)
        buttons |= _seed(form)
        with gr.Row(elem_id=form.element_id("checkboxes"), elem_classes=["checkboxes-row"]):
            form.tick("tiling", "Tiling", "tiling", container=False)
        form.menu(
            OVERRIDES,
            "Override settings",
            "override_settings",
            [],
            [],
            multiselect=True,
            info="Settings of the text that was read, for the next pictures alone.",
        )
        form.controls[OVERRIDES].visible = "hidden"
        gr.Column(elem_id=form.element_id("script_container"), min_width=0)
    return buttons


def _sampling(form: Form, menus: Menus) -> None:
    with gr.Row(elem_id="sampler_selection_" + form.tab, elem_classes=["form-row"]):
        form.menu(
            "sampler_name", "Sampling method", "sampling", menus.samplers, menus.samplers[0], min_width=140
        )
        form.menu(
            "scheduler", "Schedule type", "scheduler", menus.schedules, menus.schedules[0], min_width=120
        )
        form.slider("steps", "Sampling steps", "steps", 1, 150, 1, 20)


def _hires(form: Form, menus: Menus) -> None:
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
                "hr_negative_prompt", "Hires negative prompt", "hr_neg_prompt", placeholder=same, lines=2
            )


def _size_and_batches(form: Form, size: tuple[int, int]) -> PanelButtons:
    with gr.Row(elem_classes=["form-row", "size-row"]):
        with gr.Column(elem_id=form.element_id("column_size"), min_width=140, scale=4):
            form.slider("width", "Width", "width", 64, 2048, 8, size[0])
            form.slider("height", "Height", "height", 64, 2048, 8, size[1])
        with gr.Column(
            elem_id=form.element_id("dimensions_row"), elem_classes=["dimensions-tools"], min_width=0, scale=0
        ):
            swap = icon_button("Swap width and height", "swap", form.element_id("res_switch_btn"))
        with gr.Column(elem_id=form.element_id("column_batch"), min_width=120, scale=3):
            form.slider("n_iter", "Batch count", "batch_count", 1, 100, 1, 1)
            form.slider("batch_size", "Batch size", "batch_size", 1, 8, 1, 1)
    return {"swap": swap}


def _seed(form: Form) -> PanelButtons:
    buttons: PanelButtons = {}
    with gr.Row(elem_id=form.element_id("seed_row"), elem_classes=["seed-row"]):
        form.number("seed", "Seed", "seed", -1, min_width=100)
        buttons["random_seed"] = icon_button("Random seed: -1", "dice", form.element_id("random_seed"))
        buttons["reuse_seed"] = icon_button(
            "Seed of the picture that is shown", "recycle", form.element_id("reuse_seed")
        )
        shown = form.tick(VARIATION_SHOWN, "Extra", "subseed_show", container=False, min_width=0, scale=0)
    with gr.Column(
        elem_id=form.element_id("seed_extras"), elem_classes=["seed-extras", "folded"], min_width=0
    ):
        with gr.Row(elem_classes=["seed-row"]):
            form.number("subseed", "Variation seed", "subseed", -1, min_width=100)
            buttons["random_subseed"] = icon_button(
                "Random variation seed: -1", "dice", form.element_id("random_subseed")
            )
            buttons["reuse_subseed"] = icon_button(
                "Variation seed of the picture that is shown", "recycle", form.element_id("reuse_subseed")
            )
            form.slider("subseed_strength", "Variation strength", "subseed_strength", 0, 1, 0.01, 0)
        with gr.Row(elem_classes=["form-row"]):
            form.slider("seed_resize_from_w", "Resize seed from width", "seed_resize_from_w", 0, 2048, 8, 0)
            form.slider("seed_resize_from_h", "Resize seed from height", "seed_resize_from_h", 0, 2048, 8, 0)
    shown.change(fn=None, inputs=shown, js=f"(on) => showSeedExtras({form.tab!r}, on)")
    return buttons
