"""The dialog that makes, changes and deletes styles (`styles.csv`)."""

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.house import House
from modules.web.form import Form
from modules.web.menus import style_names
from modules.web.widgets import hidden_button, icon_button

__all__ = ["styles_dialog"]


def styles_dialog(form: Form, house: House, open_button: gr.Button) -> None:
    """Lay the dialog of `form`'s tab out (hidden until `open_button` is pressed) and bind its buttons."""
    name_of = form.element_id
    with gr.Column(elem_id=name_of("styles_dialog"), elem_classes=["dialog", "style-editor"], min_width=0):
        gr.HTML("<h2>Styles</h2>", elem_classes=["dialog-title"])
        if house.styles.notes:
            gr.HTML(_notes(house.styles.notes), elem_classes=["dialog-notes"])
        with gr.Row(elem_classes=["form-row", "dialog-row"]):
            chosen = gr.Dropdown(
                choices=style_names(house),
                value=None,
                label="Style",
                elem_id=name_of("styles_edit_select"),
                allow_custom_value=True,
                info="Choose one to change it, or type a new name.",
            )
            icon_button("Copy the prompts of the tab into the fields", "copy", name_of("style_copy")).click(
                fn=None,
                inputs=[form.controls["prompt"], form.controls["negative_prompt"]],
                outputs=None,
                js=f"(prompt, negative) => fillStyleEditor({form.tab!r}, prompt, negative)",
            )
        with gr.Column(elem_classes=["dialog-fields"], min_width=0):
            prompt = gr.Textbox(
                label="Prompt",
                lines=3,
                elem_id=name_of("edit_style_prompt"),
                elem_classes=["prompt"],
                info="{prompt} stands for the prompt so far; without it the style is put after it.",
            )
            negative = gr.Textbox(
                label="Negative prompt",
                lines=3,
                elem_id=name_of("edit_style_neg_prompt"),
                elem_classes=["prompt"],
            )
        with gr.Row(elem_classes=["dialog-buttons"]):
            save = gr.Button("Save", elem_id=name_of("edit_style_save"), variant="primary")
            delete = gr.Button("Delete", elem_id=name_of("edit_style_delete"))
            close = gr.Button("Close", elem_id=name_of("edit_style_close"))
    really_delete = hidden_button(name_of("edit_style_really_delete"))
    outputs = [form.controls["styles"], chosen]
    actions = _StyleActions(house)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
    open_button.click(fn=None, js=f"() => openDialog({name_of('styles_dialog')!r})")
    close.click(fn=None, js="() => closeDialog()")
    chosen.change(actions.show, chosen, [prompt, negative], **quiet)
    save.click(actions.save, [chosen, prompt, negative], outputs, **quiet)
    delete.click(fn=None, inputs=chosen, js=f"(name) => confirmStyleDeletion({form.tab!r}, name)")
    really_delete.click(actions.delete, chosen, [*outputs, prompt, negative], **quiet)


def _notes(notes: Sequence[str]) -> str:
    """What was not understood of the files."""
    return "".join(f"<p>{html.escape(note)}</p>" for note in notes)


class _StyleActions:
    """What the dialog's buttons do, bound to a house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def show(self, name: str | None) -> Sequence[Any]:
        """The texts of the style chosen; a new name leaves what is written."""
        found = next((style for style in self._house.styles.list() if style.name == name), None)
        return (found.prompt, found.negative_prompt) if found else (gr.skip(), gr.skip())

    def save(self, name: str | None, prompt: str | None, negative: str | None) -> Sequence[Any]:
        """Write the style and offer it in both menus."""
        try:
            self._house.styles.save(name or "", prompt or "", negative or "")
        except (EaselError, OSError) as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip()
        gr.Info(f"Saved the style {name}.")
        return self._menus(name)

    def delete(self, name: str | None) -> Sequence[Any]:
        """Take the style out of its file and of both menus."""
        try:
            self._house.styles.delete(name or "")
        except (EaselError, OSError) as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        gr.Info(f"Deleted the style {name}.")
        return *self._menus(None), "", ""

    def _menus(self, chosen: str | None) -> tuple[Any, Any]:
        names = style_names(self._house)
        return gr.update(choices=names), gr.update(choices=names, value=chosen)
