"""The controls that only img2img has: resizing, masks, denoising, luma and chroma apart."""

import gradio as gr

from modules.generation import MaskedContent
from modules.web.form import APART_SHOWN, MASK_ALPHA, SCALE_BY, SIZE_MODE, Form
from modules.web.generation_panel import PanelButtons, side_sliders, swap_button
from modules.web.widgets import icon_button, input_fold, scripts_place

__all__ = ["apart_fold", "denoising", "mask_controls", "resize_modes", "sizes"]

RESIZE_MODES = (
    ("Just resize", 0),
    ("Crop and resize", 1),
    ("Resize and fill", 2),
    ("Just resize (latent upscale)", 3),
)
MASK_MODES = (("Inpaint masked", 0), ("Inpaint not masked", 1))
CONTENTS = (
    ("fill", int(MaskedContent.FILL)),
    ("original", int(MaskedContent.ORIGINAL)),
    ("latent noise", int(MaskedContent.LATENT_NOISE)),
    ("latent nothing", int(MaskedContent.LATENT_NOTHING)),
)
AREAS = (("Whole picture", False), ("Only masked", True))
SIZE_MODES = (("Resize to", 0), ("Resize by", 1))


def resize_modes(form: Form) -> None:
    """How a picture of other proportions is brought to the size."""
    form.choice("resize_mode", "Resize mode", "resize_mode", RESIZE_MODES, 0)


def mask_controls(form: Form) -> None:
    """What belongs to masks; static/js/img2img.js shows those that the open sub-tab uses."""
    with gr.Column(
        elem_id=form.element_id("inpaint_controls"), elem_classes=["inpaint-controls"], min_width=0
    ):
        with gr.Row(elem_classes=["form-row"]):
            form.slider("mask_blur", "Mask blur", "mask_blur", 0, 64, 1, 4)
            form.slider(MASK_ALPHA, "Mask transparency", "mask_alpha", 0, 100, 1, 0)
        with gr.Column(elem_classes=["mask-choices"], min_width=0):
            form.choice("inpainting_mask_invert", "Mask mode", form.element_id("mask_mode"), MASK_MODES, 0)
            form.choice("inpainting_fill", "Masked content", form.element_id("inpainting_fill"), CONTENTS, 1)
            with gr.Row(elem_classes=["form-row"]):
                form.choice(
                    "inpaint_full_res", "Inpaint area", form.element_id("inpaint_full_res"), AREAS, False
                )
                form.slider(
                    "inpaint_full_res_padding",
                    "Only masked padding, pixels",
                    "inpaint_full_res_padding",
                    0,
                    256,
                    4,
                    32,
                )


def apart_fold(form: Form) -> None:
    """Strengths of their own for brightness and colours, where the fold is ticked."""
    info = "Let the brightness change less than the colours, or the other way round"
    fold_id = form.element_id("apart")
    with input_fold("Brightness and colours apart", fold_id, f"{fold_id}_summary", info) as ticked:
        form.adopt(APART_SHOWN, ticked)
        with gr.Row(elem_classes=["form-row"]):
            form.slider("luma_strength", "Luma strength", "luma_strength", 0, 1, 0.01, 0)
            form.slider("chroma_strength", "Chroma strength", "chroma_strength", 0, 1, 0.01, 1)


def denoising(form: Form) -> None:
    """How much is drawn anew; at 0 static/js/img2img.js says what is drawn all the same."""
    form.slider("denoising_strength", "Denoising strength", "denoising_strength", 0, 1, 0.01, 0.75)
    scripts_place("img2img_denoising_note", "resize-preview")


def sizes(form: Form, size: tuple[int, int]) -> PanelButtons:
    """Width and height, beginning with `size`, or how much larger than the picture."""
    mode = form.choice(
        SIZE_MODE,
        "Size",
        form.element_id("tabs_resize"),
        SIZE_MODES,
        0,
        show_label=False,
        container=False,
        elem_classes=["tab-like"],
    )
    buttons: PanelButtons = {}
    with gr.Row(elem_id=form.element_id("tab_resize_to"), elem_classes=["form-row", "resize-to"]):
        with gr.Column(min_width=0, scale=4):
            side_sliders(form, size)
        with gr.Column(
            elem_id=form.element_id("dimensions_row"), elem_classes=["dimensions-tools"], min_width=0, scale=0
        ):
            buttons["swap"] = swap_button(form)
            buttons["detect"] = icon_button(
                "The size of the picture", "picture", form.element_id("detect_image_size_btn")
            )
    with gr.Column(
        elem_id=form.element_id("tab_resize_by"), elem_classes=["resize-by", "hidden-page"], min_width=0
    ):
        form.slider(SCALE_BY, "Scale", "scale", 0.05, 4, 0.05, 1)
        scripts_place(form.element_id("scale_resolution_preview"), "resize-preview")
    mode.change(fn=None, inputs=mode, js=f"(mode) => {{ showSizeMode({form.tab!r}, mode); }}")
    return buttons
