"""The form of a generation tab: controls by the request's field names, and what they show of a request.

The way back, from values to a request, is form_requests.py.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from modules.foreign_json import JsonNotRead, parse_json
from modules.web.menus import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULER
from modules.web.script_values import controls_of_script
from modules.web.ui_config import UiConfig

__all__ = [
    "APART_SHOWN",
    "MASK_ALPHA",
    "OVERRIDES",
    "REFINER_SHOWN",
    "SCALE_BY",
    "SIZE_MODE",
    "UNSET",
    "VARIATION_SHOWN",
    "Form",
    "overrides_as_texts",
    "overrides_from_texts",
]

# Controls that are no field of the request: settings of a generation text; whether Extra is ticked, the folds
# of the refiner, of luma and chroma; what the size is told by, how far the picture is scaled; how far one
# sees through the mask of a sketch.
OVERRIDES = "override_texts"
VARIATION_SHOWN = "variation_shown"
REFINER_SHOWN = "refiner_shown"
APART_SHOWN = "apart_shown"
SIZE_MODE = "size_mode"
SCALE_BY = "scale_by"
MASK_ALPHA = "mask_alpha"

UNSET = {
    "hr_checkpoint_name": SAME_CHECKPOINT,
    "hr_sampler_name": SAME_SAMPLER,
    "hr_scheduler": SAME_SCHEDULER,
}


class Form:
    """The controls of one tab.

    They are added while the tab is laid out; their order is the order of the values.
    """

    def __init__(self, tab: str, defaults: UiConfig) -> None:
        self.tab = tab
        self._defaults = defaults
        self.controls: dict[str, gr.components.Component] = {}

    def element_id(self, name: str) -> str:
        """The element id of a part of this tab."""
        return f"{self.tab}_{name}"

    def slider(
        self, field: str, label: str, name: str, low: float, high: float, step: float, value: float
    ) -> gr.Slider:
        """A number with a slider; what is typed may lie outside `low` .. `high`, the request decides."""
        bounds = {"minimum": low, "maximum": high, "step": step, "value": value}
        return self._add(field, gr.Slider, label, name, bounds, buttons=[])

    def number(self, field: str, label: str, name: str, value: int, **more: Any) -> gr.Number:
        """A whole number."""
        return self._add(field, gr.Number, label, name, {"value": value}, precision=0, **more)

    def menu(
        self,
        field: str,
        label: str,
        name: str,
        choices: Sequence[str | tuple[str, str]],
        value: Any,
        **more: Any,
    ) -> gr.Dropdown:
        """A choice of one, or of several with `multiselect=True`."""
        return self._add(field, gr.Dropdown, label, name, {"value": value}, choices=list(choices), **more)

    def choice(
        self,
        field: str,
        label: str,
        elem_id: str,
        choices: Sequence[tuple[str, Any]],
        value: Any,
        **more: Any,
    ) -> gr.Radio:
        """One of a few, all of them shown. The user's file of defaults names them by what is shown."""
        shown = {key: text for text, key in choices}
        wanted = self._defaults.over(self.tab, label, {"value": shown[value]})["value"]
        value = next((key for text, key in choices if text == wanted), value)
        control = gr.Radio(list(choices), value=value, label=label, elem_id=elem_id, **more)
        self.adopt(field, control)
        return control

    def tick(self, field: str, label: str, name: str, value: bool = False, **more: Any) -> gr.Checkbox:
        """A yes or no."""
        return self._add(field, gr.Checkbox, label, name, {"value": value}, **more)

    def text(self, field: str, label: str, name: str, value: str = "", **more: Any) -> gr.Textbox:
        """A text of several lines."""
        return self._add(field, gr.Textbox, label, name, {"value": value}, **more)

    def adopt(self, field: str, control: gr.components.Component) -> None:
        """Take in a control that was made elsewhere."""
        self.controls[field] = control

    def _add(self, field: str, kind: Any, label: str, name: str, own: Mapping[str, Any], **more: Any) -> Any:
        arguments = self._defaults.over(self.tab, label, own)
        arguments["visible"] = "hidden" if arguments.get("visible") is False else True
        control = kind(label=label, elem_id=self.element_id(name), **arguments, **more)
        self.adopt(field, control)
        return control

    def free_sides(self) -> list[str]:
        """Width and height, without those that the user's own defaults decide: they follow the checkpoint."""
        sides = {"width": "Width", "height": "Height"}
        return [
            side for side in sides if side in self.controls and not self._defaults.sets(self.tab, sides[side])
        ]

    def components(self) -> list[gr.components.Component]:
        """The controls, in the order of `values` below."""
        return list(self.controls.values())

    def updates(self, values: Mapping[str, Any]) -> list[Any]:
        """What each control becomes when request `values` (of a generation text) are put into the form."""
        overrides = overrides_as_texts(values.get("override_settings", {}))
        shown: dict[str, Any] = {
            **UNSET,
            **{key: value for key, value in values.items() if value is not None},
            **controls_of_script(self.tab, values),
        }
        shown["enable_hr"] = bool(values.get("enable_hr"))
        shown[VARIATION_SHOWN] = bool(
            values.get("subseed_strength") or (values.get("seed_resize_from_w") or 0) > 0
        )
        shown[REFINER_SHOWN] = bool(values.get("refiner_checkpoint"))
        shown[APART_SHOWN] = any(
            values.get(name) is not None for name in ("luma_strength", "chroma_strength")
        )
        shown[SIZE_MODE] = 0
        shown["tiling"] = bool(values.get("tiling"))
        updates = [gr.update(value=shown[field]) if field in shown else gr.skip() for field in self.controls]
        if OVERRIDES in self.controls:
            place = list(self.controls).index(OVERRIDES)
            updates[place] = gr.update(
                value=overrides, choices=overrides, visible=True if overrides else "hidden"
            )
        return updates


def overrides_as_texts(settings: Mapping[str, Any]) -> list[str]:
    """Settings as the texts that the override menu shows: `key: value`, values in JSON."""
    return [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]


def overrides_from_texts(texts: Sequence[str]) -> dict[str, Any]:
    """The settings that such texts stand for; a value that is no JSON is taken as text."""
    return dict(_override(text) for text in texts if ":" in text)


def _override(text: str) -> tuple[str, Any]:
    key, _, value = text.partition(":")
    try:
        return key.strip(), parse_json(value, key)
    except JsonNotRead:
        return key.strip(), value.strip()
