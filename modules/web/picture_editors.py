"""Places that hold a picture: a well that one drops it into, and Gradio's editor to draw upon it.

What happens in them is static/js/picture_wells.js and static/js/drawing_editors.js.
"""

import html

import gradio as gr

from modules.web.widgets import hidden_button

__all__ = ["COLOURS", "MASK_COLOUR", "drawing_editor", "picture_well"]

FILES = "image/png,image/jpeg,image/webp,image/avif,image/gif,image/bmp"
MASK_COLOUR = ["#ffffff"]
COLOURS = ["#ffffff", "#000000", "#e53935", "#fb8c00", "#fdd835", "#43a047", "#1e88e5", "#8e24aa", "#8d6e63"]
FIRST_CANVAS = (16, 16)
"""Pixels. The editor never shrinks below it: drawings shown again on smaller pictures would be misplaced."""
BRUSH = 20
"""Its first radius, in pixels of the picture."""


def picture_well(place: str, elem_id: str, title: str) -> None:
    """A well for the picture of `place`, a name of static/js/picture_places.js; empty it says `title`."""
    said = html.escape(title)
    gr.HTML(
        f'<div class="picture-well" data-place="{place}">'
        f"<label><b>{said}</b><span>or click to choose a file, or paste it</span>"
        f'<input type="file" accept="{FILES}" aria-label="{said}"></label>'
        '<img hidden alt=""><div class="well-bar"><span class="well-size" role="status"></span>'
        '<button type="button" class="well-replace">Replace</button>'
        '<button type="button" class="well-remove">Remove</button></div></div>',
        elem_id=elem_id,
    )


def drawing_editor(place: str, elem_id: str, colours: list[str]) -> None:
    """A well, and once there is a picture in it the editor to draw upon it.

    With one colour there is nothing to choose.
    """
    picture_well(place, f"{elem_id}_well", "Drop a picture here")
    with gr.Column(elem_id=f"{elem_id}_desk", elem_classes=["drawing-desk", "empty"], min_width=0):
        editor = gr.ImageEditor(
            elem_id=elem_id,
            elem_classes=["drawing-editor"],
            show_label=False,
            type="filepath",
            image_mode="RGBA",
            format="png",
            sources=(),
            transforms=(),
            buttons=[],
            layers=False,
            height=520,
            canvas_size=FIRST_CANVAS,
            brush=gr.Brush(
                default_size=BRUSH,
                colors=list(colours),
                default_color=colours[0],
                color_mode="fixed" if len(colours) == 1 else "defaults",
            ),
            eraser=gr.Eraser(default_size=BRUSH),
        )
    hidden_button(f"{elem_id}_read").click(
        fn=None,
        inputs=editor,
        js=f"(value) => {{ drawingRead({place!r}, value); }}",
        trigger_mode="multiple",
    )
    hidden_button(f"{elem_id}_show").click(
        fn=None, outputs=editor, js=f"() => drawingToShow({place!r})", trigger_mode="multiple"
    )
    editor.clear(fn=None, js=f"() => {{ drawingCleared({place!r}); }}")
