"""What both generation tabs share: layout in the field's order, then what each control does."""

from typing import Any

import gradio as gr

from modules.house import House
from modules.web.editing_bar import editing_bar
from modules.web.extra_networks_tabs import network_tabs
from modules.web.form import Form
from modules.web.generation_panel import OwnParts, PanelButtons, generation_panel
from modules.web.menus import Menus
from modules.web.pictures_menu import PictureActions
from modules.web.reading import ParameterReader
from modules.web.remembering import remember_form
from modules.web.results import Results, results_column
from modules.web.sending import take_sent_texts
from modules.web.styles_dialog import styles_dialog
from modules.web.token_counter import TokenCounter
from modules.web.toprow import TopRow, top_row
from modules.web.widgets import hidden_button, hidden_text

__all__ = ["generation_tab"]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}


def generation_tab(form: Form, house: House, menus: Menus, own: OwnParts) -> PanelButtons:
    """Lay out and bind the tab of `form` with its own parts; gives the buttons of the panel."""
    save_edit = editing_bar(form.tab)
    top = top_row(form, menus)
    with network_tabs(form), gr.Row(elem_classes=["generation-row"]):
        buttons = generation_panel(form, menus, house.engine.native_size(house.store.options), own)
        results = results_column(form.tab, house.flags)
    styles_dialog(form, house, top.edit_styles)
    reader = ParameterReader(house, form)
    _bind_job(form, top, results)
    _bind_prompts(form, top, house, reader)
    _bind_panel(buttons, form)
    _bind_pictures(form.tab, results, PictureActions(house))
    take_sent_texts(form, reader)
    _bind_editing(form, reader, save_edit)
    remember_form(form)
    return buttons


def _bind_job(form: Form, top: TopRow, results: Results) -> None:
    """All of it happens in the browser, which talks to the queue itself (static/js/tasks.js): no event waits
    for an answer of Gradio's, and a page whose server was started anew goes on.
    """
    names = list(form.controls)
    top.generate.click(
        fn=None,
        inputs=form.components(),
        js=f"(...values) => {{ sendForm({form.tab!r}, {names!r}, values); }}",
        trigger_mode="multiple",
    )
    results.show.click(
        fn=None,
        outputs=[results.gallery, results.generation_info],
        js=f"() => galleryUpdate({form.tab!r})",
        trigger_mode="multiple",
    )
    results.show_info.click(fn=None, js=f"() => {{ showText({form.tab!r}); }}")
    top.interrupt.click(fn=None, js=f"() => {{ interruptTask({form.tab!r}); }}")
    top.skip.click(fn=None, js=f"() => {{ skipTask({form.tab!r}); }}")


def _bind_prompts(form: Form, top: TopRow, house: House, reader: ParameterReader) -> None:
    prompt, negative, styles = (form.controls[name] for name in ("prompt", "negative_prompt", "styles"))
    counter = TokenCounter(house)
    counted = {"trigger_mode": "always_last", **AT_ONCE}
    top.count_prompt.click(counter.count_positive, [prompt, styles], top.prompt_tokens, **counted)
    top.count_negative.click(counter.count_negative, [negative, styles], top.negative_tokens, **counted)
    top.paste.click(reader.read_prompt, prompt, form.components(), **QUIET).then(
        fn=None, js=f"() => promptsChanged({form.tab!r})"
    )
    top.clear.click(fn=None, outputs=[prompt, negative], js=f"() => clearPrompts({form.tab!r})")

    def apply_styles(prompt: str, negative: str, names: list[str]) -> tuple[str, str, list[str]]:
        has_comments = house.store.options.enable_prompt_comments
        texts = house.styles.apply(prompt or "", negative or "", names or [], has_comments=has_comments)
        return *texts, []

    top.apply_styles.click(
        apply_styles, [prompt, negative, styles], [prompt, negative, styles], **QUIET
    ).then(fn=None, js=f"() => promptsChanged({form.tab!r})")
    styles.change(fn=None, js=f"() => promptsChanged({form.tab!r})")


def _bind_panel(buttons: PanelButtons, form: Form) -> None:
    width, height = form.controls["width"], form.controls["height"]
    buttons["swap"].click(fn=None, inputs=[width, height], outputs=[width, height], js="(w, h) => [h, w]")
    for name, key in (("seed", "gallery_seeds"), ("subseed", "gallery_subseeds")):
        control = form.controls[name]
        buttons[f"random_{name}"].click(fn=None, outputs=control, js="() => -1")
        buttons[f"reuse_{name}"].click(
            fn=None,
            inputs=control,
            outputs=control,
            js=f"(now) => seedOfPicture({form.tab!r}, {key!r}, now)",
        )


def _bind_pictures(tab: str, results: Results, actions: PictureActions) -> None:
    inputs = [results.index, results.generation_info]
    chosen = f"() => chosenPicture({tab!r})"
    saved = [
        results.save.click(actions.save, inputs, [results.files, results.said], js=chosen, **QUIET),
        results.save_zip.click(actions.save_zip, inputs, [results.files, results.said], js=chosen, **QUIET),
        results.open_folder.click(actions.open, None, results.said, **QUIET),
    ]
    results.verify.click(fn=None, js=f"() => {{ verifyChosen({tab!r}); }}")
    for event in saved:
        event.then(fn=None, inputs=results.said, js=f"(html) => {{ sayBelow({tab!r}, html); }}")


def _bind_editing(form: Form, reader: ParameterReader, save: gr.Button) -> None:
    """The form is filled from a job of the Queue tab, and may be saved as what a waiting one is to make."""
    job = hidden_text(form.element_id("job_to_read"))
    hidden_button(form.element_id("read_job")).click(reader.read_job, job, form.components(), **QUIET).then(
        fn=None, js=f"() => {{ promptsChanged({form.tab!r}); }}"
    )
    names = list(form.controls)
    save.click(
        fn=None,
        inputs=form.components(),
        js=f"(...values) => {{ saveEditing({form.tab!r}, {names!r}, values); }}",
    )
