"""The top of a generation tab: both prompts, Generate with Interrupt and Skip, the tools, the style menu."""

from dataclasses import dataclass

import gradio as gr

from modules.web.form import Form
from modules.web.interrogate_buttons import interrogate_buttons
from modules.web.menus import Menus
from modules.web.widgets import hidden_button, icon_button

__all__ = ["TopRow", "top_row"]

PROMPT_HINT = (
    "Prompt\n(Ctrl+Enter generates, Alt+Enter skips, Esc interrupts; "
    "Ctrl+Up and Ctrl+Down change a word's emphasis)"
)
NEGATIVE_HINT = "Negative prompt\n(what the picture must not show)"


@dataclass(frozen=True)
class TopRow:
    """The parts of the top row that something happens to."""

    generate: gr.Button
    interrupt: gr.Button
    skip: gr.Button
    paste: gr.Button
    clear: gr.Button
    apply_styles: gr.Button
    edit_styles: gr.Button
    count_prompt: gr.Button
    count_negative: gr.Button
    prompt_tokens: gr.HTML
    negative_tokens: gr.HTML


def top_row(form: Form, menus: Menus) -> TopRow:
    """Lay the row out; the prompts and the styles go into `form`."""
    parts: dict[str, gr.components.Component] = {}
    with gr.Row(elem_id=form.element_id("toprow"), elem_classes=["toprow"]):
        with gr.Column(
            elem_id=form.element_id("prompt_container"),
            elem_classes=["prompt-container"],
            scale=6,
            min_width=320,
        ):
            parts["prompt_tokens"] = _prompt(form, "prompt", "Prompt", "prompt", PROMPT_HINT)
            parts["negative_tokens"] = _prompt(
                form, "negative_prompt", "Negative prompt", "neg_prompt", NEGATIVE_HINT
            )
        with gr.Column(
            elem_id=form.element_id("actions_column"), elem_classes=["actions-column"], scale=2, min_width=260
        ):
            parts |= _generate_box(form)
            parts |= _tools(form)
            with gr.Row(elem_id=form.element_id("styles_row"), elem_classes=["styles-row"]):
                form.menu(
                    "styles",
                    "Styles",
                    "styles",
                    menus.styles,
                    [],
                    multiselect=True,
                    show_label=False,
                    container=False,
                )
                parts["edit_styles"] = icon_button(
                    "Edit styles", "edit", form.element_id("styles_edit_button")
                )
    parts["count_prompt"] = hidden_button(form.element_id("token_button"))
    parts["count_negative"] = hidden_button(form.element_id("negative_token_button"))
    return TopRow(**parts)


def _prompt(form: Form, field: str, label: str, name: str, hint: str) -> gr.HTML:
    counter = "token_counter" if name == "prompt" else "negative_token_counter"
    with gr.Row(elem_id=form.element_id(f"{name}_row"), elem_classes=["prompt-row"]):
        form.text(
            field,
            label,
            name,
            placeholder=hint,
            show_label=False,
            container=False,
            lines=3,
            max_lines=20,
            elem_classes=["prompt"],
            html_attributes=gr.InputHTMLAttributes(spellcheck=False),
        )
        return gr.HTML("<span>0/75</span>", elem_id=form.element_id(counter), elem_classes=["token-counter"])


def _generate_box(form: Form) -> dict[str, gr.components.Component]:
    with gr.Column(elem_id=form.element_id("generate_box"), elem_classes=["generate-box"], min_width=0):
        generate = gr.Button("Generate", elem_id=form.element_id("generate"), variant="primary")
        with gr.Row(elem_classes=["generate-stop"]):
            interrupt = gr.Button("Interrupt", elem_id=form.element_id("interrupt"), min_width=0)
            skip = gr.Button("Skip", elem_id=form.element_id("skip"), min_width=0)
    return {"generate": generate, "interrupt": interrupt, "skip": skip}


def _tools(form: Form) -> dict[str, gr.components.Component]:
    with gr.Row(elem_id=form.element_id("tools"), elem_classes=["tools-row"]):
        tools = {
            "paste": icon_button(
                "Read generation parameters from the prompt, or from the last picture if the prompt is empty",
                "paste",
                "paste" if form.tab == "txt2img" else form.element_id("paste"),
            ),
            "clear": icon_button(
                "Clear the prompts; pressed again: bring them back", "clear", form.element_id("clear_prompt")
            ),
            "apply_styles": icon_button(
                "Put the chosen styles into the prompts", "apply", form.element_id("style_apply")
            ),
        }
        if form.tab == "img2img":
            interrogate_buttons(form)
        return tools
