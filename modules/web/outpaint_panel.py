"""The outpaint canvas of the img2img tab: a picture with room around it, which Generate fills.

Its places and headings are here; the picture, dragging and drawing are static/js/outpaint*.js.
"""

import html

import gradio as gr

from modules.web.form import Form

__all__ = ["outpaint_panel"]

SIDES = (("left", "Left"), ("right", "Right"), ("top", "Up"), ("bottom", "Down"))
CORNERS = ("left top", "right top", "left bottom", "right bottom")
BACKGROUNDS = (("edges", "Colours of its edges"), ("mirror", "Its mirror image"))
TOOLS = (("undo", "Back"), ("reset", "Take the room away"), ("clear", "Remove the picture"))
LARGEST_SIDE = 4096
"""Pixels that a side is given room at most."""
FILES = "image/png,image/jpeg,image/webp,image/avif,image/gif,image/bmp"
HINT = "Drag an edge or a corner outwards to make room, and the picture to move it in the room."


def outpaint_panel(form: Form) -> None:
    """Lay the canvas out below the tab of `form`, whose mask blur says how softly old and new meet."""
    gr.HTML(
        f'<div class="outpaint" data-tab="{form.tab}">{_stage()}{_numbers()}{_tools()}</div>',
        elem_id=form.element_id("outpaint"),
    )


def _stage() -> str:
    corners = "".join(_handle(sides, "corner") for sides in CORNERS)
    edges = "".join(_handle(side, "edge", title) for side, title in SIDES)
    return (
        '<div class="outpaint-stage" id="outpaint_stage">'
        '<label class="outpaint-empty"><b>Drop a picture here</b>'
        "<span>or click to choose one, or paste it</span>"
        f'<input type="file" id="outpaint_file" accept="{FILES}" aria-label="Picture for the canvas"></label>'
        f'<div class="outpaint-frame" id="outpaint_frame" hidden><canvas id="outpaint_view"></canvas>'
        f'<div class="outpaint-picture"></div>{edges}{corners}</div>'
        '<p class="outpaint-size" id="outpaint_size" role="status"></p></div>'
    )


def _handle(sides: str, kind: str, title: str = "") -> str:
    """A button that is dragged. An edge is also moved by the arrow keys; a corner only by the pointer."""
    reach = (
        f'aria-label="Room at this side: {html.escape(title)}. Arrow keys change it." title="{title}"'
        if title
        else 'aria-hidden="true" tabindex="-1"'
    )
    return (
        f'<button type="button" class="outpaint-handle {kind} {sides}" data-sides="{sides}" {reach}></button>'
    )


def _numbers() -> str:
    fields = "".join(
        f'<label>{title}<input type="number" id="outpaint_{side}" data-side="{side}" min="0" '
        f'max="{LARGEST_SIDE}" step="8" value="0" inputmode="numeric"></label>'
        for side, title in SIDES
    )
    choices = "".join(f'<option value="{value}">{title}</option>' for value, title in BACKGROUNDS)
    background = f'<label>New parts begin as<select id="outpaint_background">{choices}</select></label>'
    return f'<div class="outpaint-numbers">{fields}{background}</div><p class="outpaint-hint">{HINT}</p>'


def _tools() -> str:
    take = '<button type="button" id="outpaint_take" title="To grow on from it">'
    others = "".join(
        f'<button type="button" id="outpaint_{name}" disabled>{title}</button>' for name, title in TOOLS
    )
    return f'<div class="outpaint-tools">{take}Take the result onto the canvas</button>{others}</div>'
