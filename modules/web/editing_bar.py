"""The bar over a generation tab while a waiting job is edited."""

import gradio as gr

__all__ = ["editing_bar"]


def editing_bar(tab: str) -> gr.Button:
    """Lay the bar out, hidden until static/js/editing.js shows it; gives its Save button."""
    with gr.Row(elem_id=f"{tab}_editing_bar", elem_classes=["editing-bar"]):
        gr.HTML("<p>You are editing a job that waits. Generate still makes a new one.</p>", min_width=0)
        save = gr.Button("Save", elem_id=f"{tab}_save_edit", variant="primary", min_width=0, scale=0)
        cancel = gr.Button("Cancel", elem_id=f"{tab}_cancel_edit", min_width=0, scale=0)
    cancel.click(fn=None, js="() => { endEditing(); }")
    return save
