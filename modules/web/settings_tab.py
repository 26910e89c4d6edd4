"""The Settings tab: the declared options, without the checkpoint, which is chosen above the tabs."""

from collections.abc import Sequence

import gradio as gr

from modules.house import House
from modules.infotext import FIELDS
from modules.sampling import SAMPLERS
from modules.settings import ChoiceSource, OptionInfo, describe_options
from modules.web.menus import checkpoint_choices
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
        settings_form(infos, lambda info: _choices(house, info, tabs)),
        elem_id="settings",
        elem_classes=["settings"],
    )


def _choices(house: House, info: OptionInfo, tabs: Sequence[str]) -> Sequence[str]:
    """What an option can be chosen from now; nothing if it is free."""
    known = {
        ChoiceSource.CHECKPOINTS: lambda: [title for _, title in checkpoint_choices(house)],
        ChoiceSource.VAES: lambda: [
            "Automatic",
            "None",
            *(file.name for file in house.engine.vae_shelf.list()),
        ],
        ChoiceSource.NETWORKS: lambda: [
            "None",
            *(file.name for file in house.engine.adapters.networks.list()),
        ],
        ChoiceSource.HYPERNETWORKS: lambda: [
            "None",
            *(file.name for file in house.engine.adapters.hypernetworks.list()),
        ],
        ChoiceSource.SAMPLERS: lambda: [each.name for each in SAMPLERS.values()],
        ChoiceSource.TABS: lambda: tabs,
        ChoiceSource.OPTIONS: lambda: [each.key for each in describe_options()],
        ChoiceSource.INFOTEXT_FIELDS: lambda: [field.key for field in FIELDS],
    }
    return known[info.source]() if info.source in known else info.choices
