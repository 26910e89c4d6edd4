"""Places that hold a picture: a well that one drops it into, and Gradio's editor to draw upon it.

What happens in them is static/js/picture_wells.js and static/js/drawing_editors.js.
"""

import html
import json
from dataclasses import asdict

import gradio as gr

from modules.web.img2img_pictures import MASK_OPACITY
from modules.web.widgets import hidden_button

__all__ = ["COLOURS", "MASK_COLOUR", "drawing_editor", "picture_well"]

FILES = "image/png,image/jpeg,image/webp,image/avif,image/gif,image/bmp"
Colour = str | tuple[str, float]
MASK_COLOUR: list[Colour] = [("#d81b60", MASK_OPACITY)]
"""Seen on nearly every picture, and the picture through it."""
COLOURS: list[Colour] = [
    "#000000", "#ffffff", "#e53935", "#fb8c00", "#fdd835", "#43a047", "#1e88e5", "#8e24aa", "#8d6e63",
]  # fmt: skip
FIRST_CANVAS = (16, 16)
"""Pixels. The editor never shrinks below it: drawings shown again on smaller pictures would be misplaced."""
BRUSH = 20
"""Its first radius, in pixels of the picture; static/js/drawing_editors.js fits it to the picture."""
KEYS = (
    ("[ ]", "brush size"),
    ("B E", "brush, eraser"),
    ("Ctrl+Z Ctrl+Y", "undo, redo"),
    ("Alt+wheel", "zoom"),
    ("wheel", "move"),
)
"""Over the picture: those of static/js/drawing_keys.js, and the editor's own two."""


def picture_well(place: str, elem_id: str, title: str, *, may_be_blank: bool = False) -> None:
    """A well for the picture of `place`, a name of static/js/picture_places.js; empty it says `title`, and
    offers an empty canvas where it `may_be_blank`.
    """
    said = html.escape(title)
    blank = '<button type="button" class="well-blank">Start with an empty canvas</button>'
    gr.HTML(
        f'<div class="picture-well" data-place="{place}">'
        f"<label><b>{said}</b><span>or click to choose a file, or paste it</span>"
        f'<input type="file" accept="{FILES}" aria-label="{said}"></label>{blank if may_be_blank else ""}'
        '<img hidden alt=""><div class="well-bar"><span class="well-size" role="status"></span>'
        '<button type="button" class="well-shrink" hidden></button>'
        '<button type="button" class="well-back" title="The picture that was here before">Back</button>'
        '<button type="button" class="well-replace">Replace</button>'
        '<button type="button" class="well-remove">Remove</button></div></div>',
        elem_id=elem_id,
    )


def drawing_editor(place: str, elem_id: str, colours: list[Colour]) -> None:
    """A well, and once there is a picture in it the editor to draw upon it.

    With one colour there is nothing to choose, and what is painted is a mask.
    """
    is_mask = len(colours) == 1
    picture_well(place, f"{elem_id}_well", "Drop a picture here", may_be_blank=not is_mask)
    with gr.Column(elem_id=f"{elem_id}_desk", elem_classes=["drawing-desk", "empty"], min_width=0):
        brush = gr.Brush(
            default_size=BRUSH,
            colors=list(colours),
            default_color=colours[0],
            color_mode="fixed" if is_mask else "defaults",
        )
        gr.HTML(_hint(is_mask, brush))
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
            brush=brush,
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


def _hint(is_mask: bool, brush: gr.Brush) -> str:
    """Where the tools are, and the keys for those who have some. It carries the brush for the scripts."""
    data = html.escape(json.dumps(asdict(brush)))
    tools = "brush, eraser and size" if is_mask else "brush, eraser, colour and size"
    keys = "".join(
        f"<span>{''.join(f'<kbd>{key}</kbd>' for key in names.split())} {what}</span>" for names, what in KEYS
    )
    words = f"<span>At the left of the picture: {tools}.</span>{keys}"
    return f'<p class="drawing-hint" data-brush="{data}">{words}</p>'
