"""The row above the tabs: the checkpoint chooser, and other settings that `quicksettings_list` names."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.house import House
from modules.settings import ComponentKind, OptionInfo, describe_options
from modules.web.menus import Menus, checkpoint_titles
from modules.web.settings_tab import setting_choices, shown_above_tabs
from modules.web.widgets import icon_button

__all__ = ["quicksettings_row"]

CHECKPOINT = "sd_model_checkpoint"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}


def quicksettings_row(house: House, menus: Menus) -> None:
    """Lay the row out. A change is saved at once."""
    infos = {info.key: info for info in describe_options()}
    others = [infos[key] for key in shown_above_tabs(house) if key in infos and key != CHECKPOINT]
    with gr.Row(elem_id="quicksettings"):
        _checkpoint_chooser(house, menus)
        for info in others:
            _bind(
                house,
                info.key,
                _control(info, getattr(house.store.options, info.key), setting_choices(house, info)),
            )


def _checkpoint_chooser(house: House, menus: Menus) -> None:
    with gr.Row(elem_classes=["checkpoint-row"]):
        chooser = gr.Dropdown(
            choices=list(menus.checkpoints),
            value=_current_title(house, menus.checkpoints),
            label="Stable Diffusion checkpoint",
            elem_id=f"setting_{CHECKPOINT}",
            min_width=200,
        )
        refresh = icon_button("Look for new checkpoints", "refresh", f"refresh_{CHECKPOINT}")

    def look_again() -> Any:
        house.engine.shelf.refresh()
        titles = checkpoint_titles(house)
        return gr.update(choices=titles, value=_current_title(house, titles))

    def show_current() -> Any:
        titles = checkpoint_titles(house)
        return gr.update(choices=titles, value=_current_title(house, titles))

    def choose(title: str | None) -> Any:
        return _change(house, CHECKPOINT, title) if title else gr.skip()

    chooser.input(choose, chooser, chooser, **QUIET)
    refresh.click(look_again, None, chooser, **QUIET)
    hidden = gr.Button("change checkpoint", elem_id="change_checkpoint", visible="hidden")
    hidden.click(show_current, None, chooser, **QUIET)


def _current_title(house: House, titles: Sequence[str]) -> str | None:
    """The title of the checkpoint that is set, or of the first one there is."""
    name = house.store.options.sd_model_checkpoint
    try:
        return house.engine.shelf.find(name).title if name else next(iter(titles), None)
    except EaselError:
        return name


def _control(info: OptionInfo, value: Any, choices: Sequence[str]) -> gr.components.Component:
    names: dict[str, Any] = {
        "label": info.label,
        "elem_id": f"setting_{info.key}",
        "value": value,
        "min_width": 140,
    }
    if info.kind is ComponentKind.CHECKBOX:
        return gr.Checkbox(**names)
    if info.kind is ComponentKind.SLIDER:
        return gr.Slider(minimum=info.minimum, maximum=info.maximum, step=info.step, buttons=[], **names)
    if info.kind is ComponentKind.NUMBER:
        return gr.Number(**names)
    if choices:
        names["value"] = list(value) if info.kind is ComponentKind.MULTISELECT else value
        return gr.Dropdown(choices=list(choices), multiselect=info.kind is ComponentKind.MULTISELECT, **names)
    return gr.Textbox(**names)


def _bind(house: House, key: str, control: gr.components.Component) -> None:
    event = (
        control.release
        if isinstance(control, gr.Slider)
        else control.blur
        if isinstance(control, gr.Textbox | gr.Number)
        else control.input
    )

    def change(value: Any) -> Any:
        return _change(house, key, value)

    event(change, control, control, **QUIET)


def _change(house: House, key: str, value: Any) -> Any:
    """Save a setting; a value that cannot be is said and the control goes back to the value that is set."""
    try:
        house.change_settings({key: value})
    except EaselError as error:
        gr.Warning(str(error))
        return gr.update(value=getattr(house.store.options, key))
    return gr.skip()
