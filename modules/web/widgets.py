"""Widgets that the tabs share: icon buttons, folds, tabs whose contents are in the page from the start."""

import html
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

__all__ = [
    "TabPage",
    "hidden_button",
    "hidden_text",
    "icon_button",
    "input_fold",
    "plain_fold",
    "scripts_place",
    "tab_bar",
    "tab_page",
]

TabPage = tuple[str, str]


def icon_button(label: str, icon: str, elem_id: str | None = None, **arguments: Any) -> gr.Button:
    """A square button that shows `icon` of static/css/icons.css; `label` is its accessible name and its
    tooltip.
    """
    classes = ["tool", f"icon-{icon}"]
    return gr.Button(label, elem_id=elem_id, elem_classes=classes, min_width=0, scale=0, **arguments)


def hidden_button(elem_id: str) -> gr.Button:
    """A button that only scripts press. It is in the page, which `visible=False` would take it out of."""
    return gr.Button(elem_id, elem_id=elem_id, visible="hidden")


def hidden_text(elem_id: str, value: str = "") -> gr.Textbox:
    """A text that scripts read and write."""
    return gr.Textbox(value, elem_id=elem_id, visible="hidden", show_label=False)


def scripts_place(elem_id: str, *classes: str) -> None:
    """A place that only scripts write into, below an element of this id."""
    gr.HTML('<div class="scripts-place"></div>', elem_id=elem_id, elem_classes=list(classes))


@contextmanager
def plain_fold(label: str, elem_id: str) -> Iterator[None]:
    """A fold that opens and shuts under its heading."""
    with gr.Column(elem_id=elem_id, elem_classes=["fold"], min_width=0):
        gr.HTML(
            f'<button type="button" class="fold-toggle" aria-expanded="false">{html.escape(label)}'
            '<span class="icon"></span></button>',
            elem_classes=["fold-head", "plain-fold"],
        )
        with gr.Column(elem_classes=["fold-body"], min_width=0):
            yield


@contextmanager
def input_fold(label: str, elem_id: str, summary_id: str, info: str) -> Iterator[gr.Checkbox]:
    """A fold whose heading is a checkbox: ticking opens it.

    Gives the checkbox; `summary_id` names a short text beside it.
    """
    with gr.Column(elem_id=elem_id, elem_classes=["fold", "input-accordion"], min_width=0):
        with gr.Row(elem_classes=["fold-head", "label-wrap"]):
            checkbox = gr.Checkbox(
                label=label,
                elem_id=f"{elem_id}-checkbox",
                elem_classes=["input-accordion-checkbox"],
                container=False,
            )
            gr.HTML(f'<span id="{summary_id}"></span>', elem_classes=["fold-summary"])
            gr.HTML(
                f'<button type="button" class="fold-toggle" aria-expanded="false" '
                f'title="{html.escape(info)}" '
                f'aria-label="Show or hide {html.escape(label)}"><span class="icon"></span></button>'
            )
        with gr.Column(elem_classes=["fold-body"], min_width=0):
            yield checkbox
    checkbox.change(fn=None, inputs=checkbox, js=f"(on) => inputAccordionChecked({elem_id!r}, on)")


def tab_bar(pages: Sequence[TabPage], label: str) -> gr.HTML:
    """The row of tab buttons for `pages`, pairs of element id and title; static/js/tabs.js switches between
    them.
    """
    buttons = "".join(
        f'<button type="button" role="tab" id="{page_id}-button" data-page="{page_id}" '
        f'aria-controls="{page_id}" '
        f'aria-selected="{str(number == 0).lower()}" tabindex="{0 if number == 0 else -1}" '
        f'class="{"selected" if number == 0 else ""}">{html.escape(title)}</button>'
        for number, (page_id, title) in enumerate(pages)
    )
    return gr.HTML(f'<div class="tab-nav" role="tablist" aria-label="{html.escape(label)}">{buttons}</div>')


@contextmanager
def tab_page(page_id: str, is_first: bool = False) -> Iterator[gr.Column]:
    """The contents of one tab, in the page from the start; all but the first begin hidden."""
    classes = ["tabitem", "easel-page"] + ([] if is_first else ["hidden-page"])
    with gr.Column(elem_id=page_id, elem_classes=classes, min_width=0) as column:
        yield column
