"""The Extras tab: finished pictures are enlarged, one or several alike.

The pictures stay in the browser (static/js/extras.js), which sends one after another to `extras_routes.py`.
"""

import gradio as gr

from modules.house import House
from modules.upscaling import UPSCALERS
from modules.web.form import Form
from modules.web.remembering import remember_form
from modules.web.results import folder_button, picture_gallery
from modules.web.sending import send_buttons
from modules.web.ui_config import UiConfig
from modules.web.widgets import hidden_button, hidden_text, icon_button, scripts_place

__all__ = ["extras_tab"]

FIRST_UPSCALER, SECOND_UPSCALER = "Lanczos", "None"
LARGEST_SIDE = 8192
FILES = "image/png,image/jpeg,image/webp,image/avif,image/gif,image/bmp"
DROP = (
    '<div class="picture-drop"><ul id="extras_image_batch"></ul><label><b>Drop pictures here</b>'
    '<span class="first">one or several; or click to choose them, or paste</span>'
    '<span class="more">Add more pictures</span>'
    f'<input type="file" id="extras_files" accept="{FILES}" multiple aria-label="Pictures"></label>'
    '<button type="button" id="extras_remove_all" hidden>Remove all</button></div>'
)


def extras_tab(house: House, defaults: UiConfig) -> Form:
    """Lay the tab out; gives its form."""
    form = Form("extras", defaults)
    with gr.Row(elem_classes=["generation-row"]):
        with gr.Column(elem_classes=["settings-column"], min_width=320, scale=1):
            gr.HTML(DROP, elem_id="extras_image")
            _size(form)
            _upscalers(form)
        with gr.Column(elem_id="extras_results", elem_classes=["results-column"], min_width=320, scale=1):
            _generate(form)
            _results(form, house)
    remember_form(form)
    return form


def _size(form: Form) -> None:
    with gr.Column(elem_id="extras_resize", elem_classes=["extras-resize"], min_width=0):
        mode = gr.Radio(
            [("Scale by", 0), ("Scale to", 1)],
            value=0,
            label="Size",
            show_label=False,
            container=False,
            elem_id="extras_resize_mode",
            elem_classes=["tab-like"],
        )
        form.adopt("resize_mode", mode)
        with gr.Column(elem_id="extras_scale_by_tab", min_width=0):
            form.slider("upscaling_resize", "Resize", "upscaling_resize", 1, 8, 0.05, 4)
        with gr.Column(elem_id="extras_scale_to_tab", elem_classes=["hidden-page"], min_width=0):
            with gr.Row(elem_classes=["form-row", "extras-sides"]):
                width = _side(form, "upscaling_resize_w", "Width")
                swap = icon_button("Swap width and height", "swap", "extras_upscaling_res_switch_btn")
                height = _side(form, "upscaling_resize_h", "Height")
            crop = gr.Checkbox(True, label="Crop to fit", elem_id="extras_upscaling_crop", container=False)
            form.adopt("upscaling_crop", crop)
    swap.click(fn=None, inputs=[width, height], outputs=[width, height], js="(w, h) => [h, w]")
    mode.change(fn=None, inputs=mode, js="(mode) => { showExtrasSize(mode); }")


def _side(form: Form, field: str, label: str) -> gr.Slider:
    return form.slider(field, label, field, 64, LARGEST_SIDE, 8, 512)


def _upscalers(form: Form) -> None:
    names = list(UPSCALERS)
    form.menu("upscaler_1", "Upscaler 1", "upscaler_1", names, FIRST_UPSCALER)
    with gr.Row(elem_classes=["form-row"]):
        form.menu("upscaler_2", "Upscaler 2", "upscaler_2", names, SECOND_UPSCALER, min_width=140)
        form.slider(
            "extras_upscaler_2_visibility", "Upscaler 2 visibility", "upscaler_2_visibility", 0, 1, 0.001, 0
        )


def _generate(form: Form) -> None:
    with gr.Row(elem_classes=["extras-actions"]):
        generate = gr.Button("Generate", elem_id="extras_generate", variant="primary", scale=3)
        interrupt = gr.Button("Interrupt", elem_id="extras_interrupt", min_width=120)
    names = list(form.controls)
    generate.click(
        fn=None,
        inputs=form.components(),
        js=f"(...values) => {{ enlargePictures({names!r}, values); }}",
        trigger_mode="multiple",
    )
    interrupt.click(fn=None, js="() => { interruptExtras(); }")


def _results(form: Form, house: House) -> None:
    gallery = picture_gallery(form.tab)
    with gr.Row(elem_id="image_buttons_extras", elem_classes=["image-buttons"]):
        folder = folder_button(form.tab, house.flags)
        send_buttons(form.tab)
    scripts_place("html_info_extras", "infotext")
    scripts_place("extras_verdict")
    scripts_place("html_log_extras", "html-log")
    info = hidden_text("generation_info_extras")
    hidden_button("extras_restore_progress").click(
        fn=None, outputs=[gallery, info], js="() => galleryUpdate('extras')", trigger_mode="multiple"
    )
    folder.click(fn=None, js="() => { openExtrasFolder(); }")
