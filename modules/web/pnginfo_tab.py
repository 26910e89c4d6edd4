"""The PNG Info tab: a picture is dropped, its texts are shown; it can be sent on, its parameters with it."""

from pathlib import Path
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.imaging import open_picture, png_info, read_picture_file
from modules.web.texts import error_html, infotext_html, notice_html, picture_items_html
from modules.web.widgets import hidden_text, scripts_place

__all__ = ["pnginfo_tab"]

SENT_TO = ("txt2img", "img2img", "inpaint", "extras")
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def pnginfo_tab() -> None:
    """Lay the tab out."""
    with gr.Row(elem_classes=["generation-row"]):
        with gr.Column(elem_classes=["settings-column"], min_width=320):
            picture = gr.Image(
                elem_id="pnginfo_image",
                label="Picture",
                show_label=False,
                sources=["upload", "clipboard"],
                type="filepath",
                image_mode=None,
                buttons=[],
                height=480,
                placeholder="# Drop a picture here\nor click to choose one, or paste it",
            )
        with gr.Column(elem_classes=["results-column"], min_width=320):
            with gr.Row(elem_classes=["pnginfo-buttons"]):
                for place in SENT_TO:
                    button = gr.Button(f"Send to {place}", elem_id=f"{place}_tab", scale=0, min_width=120)
                    button.click(fn=None, js=f"() => {{ sendDropped({place!r}); }}")
                verify = gr.Button("Verify", elem_id="pnginfo_verify", scale=0, min_width=120)
            scripts_place("pnginfo_verdict")
            shown = gr.HTML(
                notice_html("The generation text of a picture appears here."),
                elem_id="pnginfo_html",
                elem_classes=["infotext"],
            )
            text = hidden_text("pnginfo_generation_info")
    # Gradio would open the file itself, and tell in words of its own what cannot be opened.
    picture.change(read_picture, picture, [text, shown], preprocess=False, **QUIET)
    picture.change(fn=None, js="() => { forgetVerdict('pnginfo_verdict'); }")
    verify.click(fn=None, js="() => { verifyDropped(); }")


def read_picture(file: dict[str, Any] | None) -> tuple[str, str]:
    """The generation text of an uploaded picture, and HTML that shows it with the picture's other texts."""
    if not file or not file.get("path"):
        return "", notice_html("The generation text of a picture appears here.")
    try:
        with open_picture("The file", read_picture_file(Path(file["path"]), "The file")) as image:
            found = png_info(image)
    except EaselError as error:
        return "", error_html(str(error))
    except (OSError, ValueError, SyntaxError) as error:
        return "", error_html(f"This file cannot be read as a picture: {error}.")
    body = (
        infotext_html(found.info) if found.info else notice_html("This picture carries no generation text.")
    )
    return found.info, body + picture_items_html(found.items)
