"""The Settings tab: the declared options, without the checkpoint, which is chosen above the tabs."""

from collections.abc import Sequence

import gradio as gr

from modules.house import House
from modules.settings import describe_options
from modules.web.setting_choices import SettingChoices
from modules.web.settings_form import settings_form

__all__ = ["settings_tab"]

CHECKPOINT = "sd_model_checkpoint"


def settings_tab(house: House, tabs: Sequence[str]) -> None:
    """Lay the tab out; `tabs` are the titles of the page's tabs.

    Folder settings stay away where a flag says so.
    """
    infos = [
        info
        for info in describe_options()
        if info.key != CHECKPOINT and not (info.restricted and house.flags.hide_ui_dir_config)
    ]
    gr.HTML(
        settings_form(infos, SettingChoices(house, tabs)),
        elem_id="settings",
        elem_classes=["settings"],
    )
