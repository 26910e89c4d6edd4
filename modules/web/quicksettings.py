"""The row above the tabs: the checkpoint chooser.

Other settings that `quicksettings_list` names are moved there by static/js/quicksettings.js.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.house import House
from modules.readings import READINGS
from modules.web.form import Form
from modules.web.menus import SAME_CHECKPOINT, checkpoint_choices, style_names
from modules.web.widgets import hidden_button, hidden_text, icon_button

__all__ = ["CheckpointChooser"]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}


class CheckpointChooser:
    """The menu of checkpoints. Choosing one saves it as the setting; it is loaded with the next picture."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._forms = 0
        with gr.Row(elem_id="quicksettings"), gr.Row(elem_classes=["checkpoint-row"]):
            self._menu = gr.Dropdown(
                choices=checkpoint_choices(house),
                value=self._current(),
                label="Stable Diffusion checkpoint",
                elem_id="setting_sd_model_checkpoint",
                min_width=200,
            )
            self._refresh = icon_button("Look for new checkpoints", "refresh", "refresh_sd_model_checkpoint")
            self._show = hidden_button("change_checkpoint")
            self._named = hidden_text("checkpoint_to_choose")
            self._by_name = hidden_button("choose_checkpoint")

    def bind(self, page: gr.Blocks, forms: Sequence[Form]) -> None:
        """Let the menu act. Sizes that nobody has changed follow the checkpoint: static/js/native_size.js.

        The first of `forms` is txt2img's, whose hires pass has a menu of checkpoints too. Each has a refiner.
        """
        styles = [form.controls["styles"] for form in forms]
        self._forms = len(forms)
        refiners = [form.controls["refiner_checkpoint"] for form in forms]
        menus = [self._menu, forms[0].controls["hr_checkpoint_name"], *refiners, *styles]
        for event in (
            self._menu.input(self._choose, self._menu, self._menu, **QUIET),
            self._by_name.click(self._choose_named, self._named, self._menu, **QUIET),
            self._refresh.click(self._look_again, None, menus, **QUIET),
            self._show.click(self._menus, None, menus, **QUIET),
        ):
            event.then(fn=None, js="() => { checkpointMayHaveChanged(); }")
        page.load(self._menus, None, menus, **QUIET)

    def _choose(self, title: str | None) -> Any:
        try:
            if title:
                self._house.change_settings({"sd_model_checkpoint": title})
        except EaselError as error:
            gr.Warning(str(error))
            return self._update()
        return gr.skip()

    def _choose_named(self, name: str | None) -> Any:
        """Of a checkpoint that something else than the menu names: the menu shows it then."""
        self._choose(name)
        return self._update()

    def _look_again(self) -> list[Any]:
        READINGS.ask_for_all()
        self._house.engine.shelf.refresh()
        self._house.engine.vae_shelf.refresh()
        return self._menus()

    def _menus(self) -> list[Any]:
        """The menus that change while the program runs: checkpoints, those of the hires pass and of the
        refiners, styles.
        """
        titles, names = checkpoint_choices(self._house), style_names(self._house)
        styles = [gr.update(choices=names) for _ in range(self._forms)]
        refiners = [gr.update(choices=titles) for _ in range(self._forms)]
        return [self._update(), gr.update(choices=[SAME_CHECKPOINT, *titles]), *refiners, *styles]

    def _update(self) -> Any:
        return gr.update(choices=checkpoint_choices(self._house), value=self._current())

    def _current(self) -> str | None:
        """The title of the checkpoint that the next picture is made with."""
        options = self._house.store.options
        try:
            return self._house.engine.checkpoint_of(options).title
        except EaselError:
            return options.sd_model_checkpoint
