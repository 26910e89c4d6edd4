"""The Script menu of a generation tab: a choice, and below it the controls of the script that is chosen."""

import json
from typing import Any

import gradio as gr

from modules.web.form import Form
from modules.web.script_values import NO_SCRIPT, SCRIPT, argument_field
from modules.workflows import MENU, Argument, Control, Redrawing, Tab

__all__ = ["script_menu"]


def script_menu(form: Form) -> None:
    """Lay the menu out into `form`. Every script's controls are in the page, those that are not chosen
    hidden.
    """
    workflows = MENU.on(Tab(form.tab))
    menu = gr.Dropdown(
        [NO_SCRIPT, *(workflow.title for workflow in workflows)],
        value=NO_SCRIPT,
        label="Script",
        elem_id=form.element_id("script_list"),
    )
    form.adopt(SCRIPT, menu)
    panels = {}
    for workflow in workflows:
        panels[workflow.title] = panel_id = form.element_id(f"script_{workflow.slug}")
        with gr.Column(elem_id=panel_id, elem_classes=["script-panel", "hidden-page"], min_width=0):
            for argument in workflow.described_arguments():
                _lay_out(form, workflow, argument)
    menu.change(fn=None, inputs=menu, js=f"(title) => showScript({json.dumps(panels)}, title)")


def _lay_out(form: Form, workflow: Redrawing[Any], argument: Argument) -> None:
    named = {
        "label": argument.label,
        "value": argument.default,
        "elem_id": _element_id(form.tab, workflow, argument),
    }
    match argument.control:
        case Control.NOTE:
            gr.HTML(argument.default, elem_classes=["script-note"])
            return
        case Control.SLIDER:
            bounds = {"minimum": argument.minimum, "maximum": argument.maximum, "step": argument.step}
            control = gr.Slider(**bounds, **named, buttons=[])
        case Control.RADIO:
            control = gr.Radio(list(argument.choices or ()), **named)
        case Control.CHECKBOXES:
            control = gr.CheckboxGroup(list(argument.choices or ()), **named)
    form.adopt(argument_field(workflow, argument), control)


def _element_id(tab: str, workflow: Redrawing[Any], argument: Argument) -> str:
    """The field's id; a script that both tabs show has the tab in it."""
    place = f"{tab}_" if len(workflow.tabs) > 1 else ""
    return f"script_{place}{workflow.slug}_{argument.name}"
