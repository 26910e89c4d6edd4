"""What stands in a form is there again after a reload: the events that static/js/form_memory.js needs."""

import json

import gradio as gr

from modules.web.form import Form
from modules.web.widgets import hidden_button

__all__ = ["remember_form"]


def remember_form(form: Form) -> None:
    """Every change is written to the browser's own store; when the page is opened the values are put back."""
    names = list(form.controls)
    typed = {
        name: control.elem_id
        for name, control in form.controls.items()
        if isinstance(control, gr.Textbox | gr.Number | gr.Slider)
    }
    hidden_button(form.element_id("recall")).click(
        fn=None,
        inputs=form.components(),
        outputs=form.components(),
        js=f"(...values) => recallForm({form.tab!r}, {names!r}, values, "
        f"{json.dumps(typed)}, {json.dumps(form.free_sides())})",
    ).then(fn=None, js=f"() => formRecalled({form.tab!r})")
    gr.on(
        [control.change for control in form.components() if hasattr(control, "change")],
        fn=None,
        inputs=form.components(),
        js=f"(...values) => rememberForm({form.tab!r}, {names!r}, values)",
    )
