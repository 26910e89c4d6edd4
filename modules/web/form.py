"""The form of a generation tab: controls by the request's field names, their values made into a request."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from modules.generation import Txt2ImgRequest, parse_txt2img
from modules.web.menus import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULER
from modules.web.ui_config import UiConfig

__all__ = [
    "OVERRIDES",
    "VARIATION_SHOWN",
    "Form",
    "overrides_as_texts",
    "overrides_from_texts",
    "request_of_form",
]

# Two controls that are no field of the request: settings of a generation text, and whether Extra is ticked.
OVERRIDES = "override_texts"
VARIATION_SHOWN = "variation_shown"

HIRES_FIELDS = (
    "hr_scale",
    "hr_upscaler",
    "hr_second_pass_steps",
    "hr_resize_x",
    "hr_resize_y",
    "hr_checkpoint_name",
    "hr_sampler_name",
    "hr_scheduler",
    "hr_prompt",
    "hr_negative_prompt",
    "denoising_strength",
)
VARIATION_FIELDS = ("subseed", "subseed_strength", "seed_resize_from_w", "seed_resize_from_h")
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

    def tick(self, field: str, label: str, name: str, **more: Any) -> gr.Checkbox:
        """A yes or no."""
        return self._add(field, gr.Checkbox, label, name, {"value": False}, **more)

    def text(self, field: str, label: str, name: str, **more: Any) -> gr.Textbox:
        """A text of several lines."""
        return self._add(field, gr.Textbox, label, name, {"value": ""}, **more)

    def adopt(self, field: str, control: gr.components.Component) -> None:
        """Take in a control that was made elsewhere."""
        self.controls[field] = control

    def _add(self, field: str, kind: Any, label: str, name: str, own: Mapping[str, Any], **more: Any) -> Any:
        arguments = self._defaults.over(self.tab, label, own)
        arguments["visible"] = "hidden" if arguments.get("visible") is False else True
        control = kind(label=label, elem_id=self.element_id(name), **arguments, **more)
        self.adopt(field, control)
        return control

    def components(self) -> list[gr.components.Component]:
        """The controls, in the order of `values` below."""
        return list(self.controls.values())

    def updates(self, values: Mapping[str, Any]) -> list[Any]:
        """What each control becomes when request `values` (of a generation text) are put into the form."""
        overrides = overrides_as_texts(values.get("override_settings", {}))
        shown: dict[str, Any] = {
            **UNSET,
            **{key: value for key, value in values.items() if value is not None},
        }
        shown["enable_hr"] = bool(values.get("enable_hr"))
        shown[VARIATION_SHOWN] = bool(
            values.get("subseed_strength") or (values.get("seed_resize_from_w") or 0) > 0
        )
        shown["tiling"] = bool(values.get("tiling"))
        updates = [gr.update(value=shown[field]) if field in shown else gr.skip() for field in self.controls]
        if OVERRIDES in self.controls:
            place = list(self.controls).index(OVERRIDES)
            updates[place] = gr.update(
                value=overrides, choices=overrides, visible=True if overrides else "hidden"
            )
        return updates


def request_of_form(values: Mapping[str, Any], task_id: str | None = None) -> Txt2ImgRequest:
    """The request that the `values` of a form's controls stand for. What a shut panel holds has no say.

    Raises InvalidRequest for the first value that is wrong.
    """
    found = dict(values)
    overrides = overrides_from_texts(found.pop(OVERRIDES, None) or [])
    if not found.pop(VARIATION_SHOWN, False):
        found = _without(found, VARIATION_FIELDS)
    if not found.get("enable_hr"):
        found = _without(found, HIRES_FIELDS)
    found = {field: None if value == UNSET.get(field) else value for field, value in found.items()}
    return parse_txt2img({**found, "override_settings": overrides, "force_task_id": task_id})


def _without(values: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if field not in fields}


def overrides_as_texts(settings: Mapping[str, Any]) -> list[str]:
    """Settings as the texts that the override menu shows: `key: value`, values in JSON."""
    return [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]


def overrides_from_texts(texts: Sequence[str]) -> dict[str, Any]:
    """The settings that such texts stand for; a value that is no JSON is taken as text."""
    return dict(_override(text) for text in texts if ":" in text)


def _override(text: str) -> tuple[str, Any]:
    key, _, value = text.partition(":")
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value.strip()
