"""The right column of a generation tab: progress and preview, gallery, its buttons, the generation text."""

from dataclasses import dataclass

import gradio as gr

from modules.door import HostAct, is_open_to
from modules.flags import Flags
from modules.web.sending import send_buttons
from modules.web.widgets import hidden_button, hidden_text, icon_button, scripts_place

__all__ = ["Results", "folder_button", "picture_gallery", "results_column"]


@dataclass(frozen=True)
class Results:
    """The parts of the results column."""

    gallery: gr.Gallery
    open_folder: gr.Button
    save: gr.Button
    save_zip: gr.Button
    verify: gr.Button
    files: gr.File
    said: gr.Textbox
    generation_info: gr.Textbox
    show_info: gr.Button
    index: gr.Number
    show: gr.Button


def results_column(tab: str, flags: Flags) -> Results:
    """Lay the column out.

    The folder button is there only where folder and browser are on the same machine.
    """
    with gr.Column(elem_id=f"{tab}_results", elem_classes=["results-column"], min_width=320, scale=1):
        gallery = picture_gallery(tab)
        with gr.Row(elem_id=f"image_buttons_{tab}", elem_classes=["image-buttons"]):
            buttons = {
                "open_folder": folder_button(tab, flags),
                "save": icon_button(
                    "Save the picture once more, with a line in log.csv", "save", f"save_{tab}"
                ),
                "save_zip": icon_button("Save all pictures as a zip", "zip", f"save_zip_{tab}"),
            }
            send_buttons(tab)
            buttons["verify"] = icon_button(
                "Verify: make the picture again and say whether it is the same", "proof", f"{tab}_verify"
            )
        files = gr.File(label="Saved", elem_id=f"download_files_{tab}", visible="hidden", interactive=False)
        # Scripts write into these; Gradio never does, so that nothing late can come over something newer.
        scripts_place(f"html_info_{tab}", "infotext")
        scripts_place(f"{tab}_verdict")
        scripts_place(f"html_log_{tab}", "html-log")
    return Results(
        gallery=gallery,
        files=files,
        said=hidden_text(f"{tab}_said"),
        generation_info=hidden_text(f"generation_info_{tab}"),
        show_info=hidden_button(f"{tab}_generation_info_button"),
        index=gr.Number(visible="hidden", elem_id=f"{tab}_gallery_index"),
        show=hidden_button(f"{tab}_restore_progress"),
        **buttons,
    )


def picture_gallery(tab: str) -> gr.Gallery:
    """The gallery of `tab`, in the place over which progress and preview are shown."""
    with gr.Column(elem_id=f"{tab}_gallery_container", elem_classes=["gallery-place"], min_width=0):
        return gr.Gallery(
            label="Output",
            show_label=False,
            elem_id=f"{tab}_gallery",
            columns=4,
            preview=True,
            height="100%",
            interactive=False,
            object_fit="contain",
            buttons=[],
            format="png",
        )


def folder_button(tab: str, flags: Flags) -> gr.Button:
    """Opens the pictures' folder where that can be done."""
    is_here = is_open_to(flags, HostAct.OPEN_FOLDER)
    label = "Open the folder of the pictures"
    return icon_button(label, "folder", f"{tab}_open_folder", visible=True if is_here else "hidden")
