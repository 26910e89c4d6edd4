"""The left column of a generation tab: sampling, size, batches, guidance, seed, and a tab's own parts."""

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from modules.web.form import OVERRIDES, VARIATION_SHOWN, Form
from modules.web.menus import Menus
from modules.web.refiner_fold import refiner_fold
from modules.web.script_menu import script_menu
from modules.web.widgets import icon_button

__all__ = ["OwnParts", "PanelButtons", "generation_panel", "side_sliders", "swap_button"]

PanelButtons = dict[str, gr.Button]


Lay = Callable[[], None]


def _nothing() -> None:
    """A tab that has nothing of its own at this place."""


@dataclass(frozen=True)
class OwnParts:
    """What a tab has for itself, each laid out at its place; `sizes` is given the first width and height."""

    above: Lay = _nothing
    folds: Lay = _nothing
    below_guidance: Lay = _nothing
    sizes: Callable[[Form, tuple[int, int]], PanelButtons] | None = None


def generation_panel(form: Form, menus: Menus, size: tuple[int, int], own: OwnParts) -> PanelButtons:
    """Lay out the controls into `form`; gives the buttons that act on them.

    `size` is the first width and height.
    """
    with gr.Column(
        elem_id=form.element_id("settings"), elem_classes=["settings-column"], min_width=320, scale=1
    ):
        own.above()
        _sampling(form, menus)
        with gr.Column(elem_id=form.element_id("accordions"), elem_classes=["accordions"], min_width=0):
            own.folds()
            refiner_fold(form, menus)
        buttons = _size_and_batches(form, size, own.sizes or side_sliders)
        form.slider("cfg_scale", "CFG Scale", "cfg_scale", 1.0, 30.0, 0.5, 7.0)
        own.below_guidance()
        buttons |= _seed(form)
        with gr.Row(elem_id=form.element_id("checkboxes"), elem_classes=["checkboxes-row"]):
            form.tick("tiling", "Tiling", "tiling", container=False)
        form.menu(
            OVERRIDES,
            "Override settings",
            "override_settings",
            [],
            [],
            multiselect=True,
            info="Settings of the text that was read, for the next pictures alone.",
        )
        form.controls[OVERRIDES].visible = "hidden"
        with gr.Column(elem_id=form.element_id("script_container"), min_width=0):
            script_menu(form)
    return buttons


def _sampling(form: Form, menus: Menus) -> None:
    with gr.Row(elem_id="sampler_selection_" + form.tab, elem_classes=["form-row"]):
        form.menu(
            "sampler_name", "Sampling method", "sampling", menus.samplers, menus.samplers[0], min_width=140
        )
        form.menu(
            "scheduler", "Schedule type", "scheduler", menus.schedules, menus.schedules[0], min_width=120
        )
        form.slider("steps", "Sampling steps", "steps", 1, 150, 1, 20)


def side_sliders(form: Form, size: tuple[int, int]) -> PanelButtons:
    """Width and height; they begin with `size`."""
    form.slider("width", "Width", "width", 64, 2048, 8, size[0])
    form.slider("height", "Height", "height", 64, 2048, 8, size[1])
    return {}


def _size_and_batches(
    form: Form, size: tuple[int, int], sizes: Callable[[Form, tuple[int, int]], PanelButtons]
) -> PanelButtons:
    with gr.Row(elem_classes=["form-row", "size-row"]):
        with gr.Column(elem_id=form.element_id("column_size"), min_width=140, scale=4):
            buttons = sizes(form, size)
        if "swap" not in buttons:
            with gr.Column(
                elem_id=form.element_id("dimensions_row"),
                elem_classes=["dimensions-tools"],
                min_width=0,
                scale=0,
            ):
                buttons["swap"] = swap_button(form)
        with gr.Column(elem_id=form.element_id("column_batch"), min_width=120, scale=3):
            form.slider("n_iter", "Batch count", "batch_count", 1, 100, 1, 1)
            form.slider("batch_size", "Batch size", "batch_size", 1, 8, 1, 1)
    return buttons


def swap_button(form: Form) -> gr.Button:
    """Width becomes height, and height width."""
    return icon_button("Swap width and height", "swap", form.element_id("res_switch_btn"))


def _seed(form: Form) -> PanelButtons:
    buttons: PanelButtons = {}
    with gr.Row(elem_id=form.element_id("seed_row"), elem_classes=["seed-row"]):
        form.number("seed", "Seed", "seed", -1, min_width=100)
        buttons["random_seed"] = icon_button("Random seed: -1", "dice", form.element_id("random_seed"))
        buttons["reuse_seed"] = icon_button(
            "Seed of the picture that is shown", "recycle", form.element_id("reuse_seed")
        )
        shown = form.tick(VARIATION_SHOWN, "Extra", "subseed_show", container=False, min_width=0, scale=0)
    with gr.Column(
        elem_id=form.element_id("seed_extras"), elem_classes=["seed-extras", "folded"], min_width=0
    ):
        with gr.Row(elem_classes=["seed-row"]):
            form.number("subseed", "Variation seed", "subseed", -1, min_width=100)
            buttons["random_subseed"] = icon_button(
                "Random variation seed: -1", "dice", form.element_id("random_subseed")
            )
            buttons["reuse_subseed"] = icon_button(
                "Variation seed of the picture that is shown", "recycle", form.element_id("reuse_subseed")
            )
            form.slider("subseed_strength", "Variation strength", "subseed_strength", 0, 1, 0.01, 0)
        with gr.Row(elem_classes=["form-row"]):
            form.slider("seed_resize_from_w", "Resize seed from width", "seed_resize_from_w", 0, 2048, 8, 0)
            form.slider("seed_resize_from_h", "Resize seed from height", "seed_resize_from_h", 0, 2048, 8, 0)
    shown.change(fn=None, inputs=shown, js=f"(on) => showSeedExtras({form.tab!r}, on)")
    return buttons
