"""The img2img tab: sub-tabs for the pictures that are started from, and what the form has for them."""

import gradio as gr

from modules.house import House
from modules.web.batch_panel import batch_panel
from modules.web.form import Form
from modules.web.generation_panel import OwnParts
from modules.web.generation_tab import generation_tab
from modules.web.img2img_form import apart_fold, denoising, mask_controls, resize_modes, sizes
from modules.web.menus import Menus
from modules.web.outpaint_panel import outpaint_panel
from modules.web.picture_editors import COLOURS, MASK_COLOUR, drawing_editor, picture_well
from modules.web.ui_config import UiConfig
from modules.web.widgets import TabPage, tab_bar, tab_page

__all__ = ["img2img_tab"]

SUBTABS: tuple[TabPage, ...] = (
    ("img2img_img2img_tab", "img2img"),
    ("img2img_img2img_sketch_tab", "Sketch"),
    ("img2img_inpaint_tab", "Inpaint"),
    ("img2img_inpaint_sketch_tab", "Inpaint sketch"),
    ("img2img_inpaint_upload_tab", "Inpaint upload"),
    ("img2img_batch_tab", "Batch"),
    ("img2img_outpaint_tab", "Outpaint"),
)
COPY_TARGETS = (
    ("img2img", "img2img"),
    ("sketch", "Sketch"),
    ("inpaint", "Inpaint"),
    ("inpaint_sketch", "Inpaint sketch"),
    ("inpaint_upload_base", "Inpaint upload"),
    ("outpaint", "Outpaint"),
)
"""Places that a picture is copied to, and what the button says."""


def img2img_tab(house: House, menus: Menus, defaults: UiConfig) -> Form:
    """Lay the tab out and bind it; gives its form."""
    form = Form("img2img", defaults)

    def above() -> None:
        _subtabs(form, house)
        resize_modes(form)
        mask_controls(form)

    own = OwnParts(
        above=above,
        folds=lambda: apart_fold(form),
        below_guidance=lambda: denoising(form),
        sizes=sizes,
    )
    buttons = generation_tab(form, house, menus, own)
    sides = [form.controls["width"], form.controls["height"]]
    buttons["detect"].click(
        fn=None, inputs=sides, outputs=sides, js="(width, height) => sizeOfPicture(width, height)"
    )
    return form


def _subtabs(form: Form, house: House) -> None:
    with gr.Column(elem_id="mode_img2img", elem_classes=["subtabs"], min_width=0):
        tab_bar(SUBTABS, "Where the picture comes from")
        for number, (page_id, _) in enumerate(SUBTABS):
            with tab_page(page_id, is_first=number == 0):
                _subtab(number, form, house)


def _subtab(number: int, form: Form, house: House) -> None:
    match number:
        case 0:
            picture_well("img2img", "img2img_image", "Drop a picture here")
            _copy_buttons("img2img")
        case 1:
            drawing_editor("sketch", "img2img_sketch", COLOURS)
            _copy_buttons("sketch")
        case 2:
            drawing_editor("inpaint", "img2maskimg", MASK_COLOUR)
            _copy_buttons("inpaint")
        case 3:
            drawing_editor("inpaint_sketch", "inpaint_sketch", COLOURS)
            _copy_buttons("inpaint_sketch")
        case 4:
            with gr.Row(elem_classes=["upload-wells"]):
                picture_well("inpaint_upload_base", "img_inpaint_base", "Drop a picture here")
                picture_well("inpaint_upload_mask", "img_inpaint_mask", "Drop its mask here")
            _copy_buttons("inpaint_upload_base")
        case 5:
            batch_panel(form, house)
        case 6:
            outpaint_panel(form)


def _copy_buttons(source: str) -> None:
    """Buttons that copy the picture of place `source` to the other places."""
    with gr.Row(elem_id=f"img2img_copy_to_{source}", elem_classes=["copy-buttons"]):
        gr.HTML("<span>Copy to</span>", min_width=0)
        for target, title in COPY_TARGETS:
            if target != source:
                button = gr.Button(title, elem_id=f"copy_{source}_to_{target}", min_width=0, scale=0)
                button.click(fn=None, js=f"() => {{ copyPicture({source!r}, {target!r}); }}")
