"""The fold "Refiner" of the generation tabs: another checkpoint that takes over in the middle."""

import gradio as gr

from modules.web.form import REFINER_SHOWN, Form
from modules.web.menus import Menus
from modules.web.widgets import icon_button, input_fold

__all__ = ["refiner_fold"]


def refiner_fold(form: Form, menus: Menus) -> None:
    """Lay the fold out into `form`."""
    fold_id, info = form.element_id("enable"), "Let another checkpoint draw the last part of the steps"
    with input_fold("Refiner", fold_id, f"{fold_id}_summary", info) as ticked:
        form.adopt(REFINER_SHOWN, ticked)
        with gr.Row(elem_classes=["form-row"]):
            with gr.Row(elem_classes=["seed-row"]):
                form.menu("refiner_checkpoint", "Checkpoint", "checkpoint", menus.checkpoints, None)
                refresh = icon_button(
                    "Look for new checkpoints", "refresh", form.element_id("checkpoint_refresh")
                )
            form.slider("refiner_switch_at", "Switch at", "switch_at", 0.01, 1.0, 0.01, 0.8)
    # One button looks for all menus of checkpoints.
    refresh.click(fn=None, js="() => { byId('refresh_sd_model_checkpoint').click(); }")
