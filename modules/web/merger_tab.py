"""The Checkpoint Merger tab: a checkpoint is made of others, or written once more in another form.

static/js/merger.js sends what is filled in to `/easel/v1/merges` and `/easel/v1/conversions`; what comes of
it stands in the right column.
"""

import html
import json
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.flags import Flags
from modules.house import House
from modules.web.form import Form
from modules.web.merger_convert import conversion_panel
from modules.web.merger_panel import Chooser, merge_panel
from modules.web.remembering import remember_form
from modules.web.ui_config import UiConfig
from modules.web.widgets import TabPage, hidden_button, scripts_place, tab_bar, tab_page

__all__ = ["merger_tab"]

SUBTABS: tuple[TabPage, ...] = (
    ("modelmerger_tab_merge", "Merge"),
    ("modelmerger_tab_convert", "Convert"),
)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}


def merger_tab(house: House, defaults: UiConfig) -> None:
    """Lay the tab out and bind it."""
    merge, conversion = Form("modelmerger", defaults), Form("modelmerger_convert", defaults)
    with gr.Row(elem_classes=["generation-row"]):
        with gr.Column(elem_classes=["settings-column"], min_width=320, scale=1):
            gr.HTML(_why_closed(house.flags), elem_id="modelmerger_closed")
            with gr.Column(elem_id="mode_modelmerger", elem_classes=["subtabs"], min_width=0):
                tab_bar(SUBTABS, "What is made")
                with tab_page(SUBTABS[0][0], is_first=True):
                    choosers, read_metadata = merge_panel(merge, house)
                with tab_page(SUBTABS[1][0]):
                    choosers += conversion_panel(conversion, house)
        with gr.Column(elem_id="modelmerger_results", elem_classes=["results-column"], min_width=320):
            scripts_place("modelmerger_plan")
            scripts_place("modelmerger_result")
    _bind_choosers(house, choosers)
    read_metadata.click(
        lambda *names: _metadata_of(house, names),
        [merge.controls[name] for name in ("primary", "secondary", "tertiary")],
        merge.controls["metadata_json"],
        **QUIET,
    )
    for form in (merge, conversion):
        remember_form(form)
        _tell_changes(form)


def _bind_choosers(house: House, choosers: list[Chooser]) -> None:
    """Let all menus of a kind offer what is there, when one's button is pressed or a file was made."""
    menus = [chooser.menu for chooser in choosers]

    def choices() -> list[Any]:
        return [gr.update(choices=chooser.offers()) for chooser in choosers]

    def look_again() -> list[Any]:
        house.engine.shelf.refresh()
        house.engine.vae_shelf.refresh()
        return choices()

    for chooser in choosers:
        chooser.refresh.click(look_again, None, menus, **QUIET)
        chooser.refresh.click(fn=None, js="() => { fetchMergerFiles(); }")
    hidden_button("modelmerger_show_files").click(choices, None, menus, **QUIET)


def _tell_changes(form: Form) -> None:
    """Let merger.js know what stands in the form, whenever that changes."""
    names = json.dumps(list(form.controls))
    gr.on(
        [control.change for control in form.components() if hasattr(control, "change")],
        fn=None,
        inputs=form.components(),
        js=f"(...values) => {{ mergerChanged({form.tab!r}, {names}, values); }}",
    )


def _metadata_of(house: House, names: tuple[str | None, ...]) -> Any:
    """The metadata of the named checkpoints as JSON, later ones over earlier ones."""
    found: dict[str, str] = {}
    try:
        for name in filter(None, names):
            found |= house.engine.shelf.find(name).metadata
    except EaselError as error:
        gr.Warning(str(error))
        return gr.skip()
    return json.dumps(found, indent=2, ensure_ascii=False)


def _why_closed(flags: Flags) -> str:
    if not flags.files_closed_by:
        return ""
    return (
        '<p class="merger-closed">Checkpoints are not written for strangers, and the program was started '
        f"with <code>{html.escape(flags.files_closed_by)}</code>: a dry run is all that can be done here. "
        "<code>--enable-insecure-folder-access</code> opens it.</p>"
    )
