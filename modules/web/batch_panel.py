"""The Batch sub-tab of img2img: which pictures, where the results go, what is read from texts.

static/js/batch.js sends the pictures and shows how far it is; `batch_routes.py` answers it.
"""

import html

import gradio as gr

from modules.batches import PromptUse, TextProperty
from modules.flags import Flags
from modules.house import House
from modules.web.form import Form
from modules.web.widgets import input_fold, scripts_place

__all__ = ["batch_panel"]

UPLOAD, FOLDER = 0, 1
FILES = "image/png,image/jpeg,image/webp,image/avif,image/gif,image/bmp,image/tiff"


def batch_panel(form: Form, house: House) -> None:
    """Lay the panel out below the tab of `form`, whose values are the request of every picture."""
    with gr.Column(elem_id=form.element_id("batch"), elem_classes=["batch"], min_width=0):
        source = gr.Radio(
            [("Upload", UPLOAD), ("From directory", FOLDER)],
            value=UPLOAD,
            label="Pictures",
            show_label=False,
            container=False,
            elem_id=form.element_id("batch_source"),
            elem_classes=["tab-like"],
        )
        gr.HTML(_drop(form), elem_id=form.element_id("batch_upload"))
        with gr.Column(elem_id=form.element_id("batch_folders"), elem_classes=["hidden-page"], min_width=0):
            gr.HTML(f'<p class="hint">{html.escape(_about_folders(house.flags))}</p>')
            _path(form, "Input directory", "batch_input_dir")
        _path(form, "Output directory", "batch_output_dir", "Empty: the usual directory and names.")
        _path(
            form,
            "Inpaint batch mask directory",
            "batch_inpaint_mask_dir",
            "Only for inpainting: one mask for all pictures, or one for each with its name.",
        )
        _texts(form)
        scripts_place(form.element_id("batch_list"), "batch-list")
    source.change(fn=None, inputs=source, js=f"(source) => {{ showBatchSource({form.tab!r}, source); }}")


def _path(form: Form, label: str, name: str, info: str | None = None) -> None:
    gr.Textbox(label=label, info=info, elem_id=form.element_id(name), max_lines=1)


def _texts(form: Form) -> None:
    with input_fold(
        "PNG info",
        form.element_id("batch_use_png_info"),
        form.element_id("batch_png_info_summary"),
        "Take parameters from the text that each picture carries",
    ):
        gr.CheckboxGroup(
            [part.value for part in TextProperty],
            value=[part.value for part in TextProperty],
            label="Parameters to take from the text of each picture",
            elem_id=form.element_id("batch_png_info_props"),
        )
        _path(
            form,
            "PNG info directory",
            "batch_png_info_dir",
            "Read the text from the picture of the same name in here instead.",
        )
    gr.Checkbox(
        label="Prompts from text files beside the pictures (cat.txt for cat.png)",
        elem_id=form.element_id("batch_text_files"),
        container=False,
    )
    gr.Radio(
        [("Append to the prompts above", PromptUse.APPEND.value), ("Replace them", PromptUse.REPLACE.value)],
        value=PromptUse.APPEND.value,
        label="Prompts that are read",
        elem_id=form.element_id("batch_prompt_use"),
    )


def _drop(form: Form) -> str:
    names = form.element_id("batch_names")
    return (
        f'<div class="picture-drop batch-drop"><p id="{names}" role="status" hidden></p>'
        "<label><b>Drop pictures here</b>"
        '<span class="first">as many as you like; or click to choose them</span>'
        '<span class="more">Add more pictures</span>'
        f'<input type="file" id="{form.element_id("batch_files")}" accept="{FILES}" multiple '
        'aria-label="Pictures of the batch"></label>'
        f'<button type="button" id="{form.element_id("batch_remove_all")}" hidden>Remove all</button></div>'
    )


def _about_folders(flags: Flags) -> str:
    sentence = (
        "Directories of the machine that the program runs on; relative ones start at the data directory."
    )
    if flags.files_closed_by:
        sentence += f" Because of {flags.files_closed_by} only those inside the data directory are open."
    return sentence
