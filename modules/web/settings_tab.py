"""The Settings tab: the declared options, without those that stand in the row above the tabs."""

from collections.abc import Sequence

import gradio as gr

from modules.house import House
from modules.infotext import FIELDS
from modules.sampling import SAMPLERS
from modules.settings import ChoiceSource, OptionInfo, describe_options
from modules.web.menus import checkpoint_titles
from modules.web.settings_form import settings_form

__all__ = ["setting_choices", "settings_tab", "shown_above_tabs"]

CHECKPOINT = "sd_model_checkpoint"


def settings_tab(house: House, tabs: Sequence[str]) -> None:
    """Lay the tab out; `tabs` are the titles of the page's tabs.

    Folder settings stay away where a flag says so.
    """
    above = shown_above_tabs(house)
    infos = [
        info
        for info in describe_options()
        if info.key not in above and not (info.restricted and house.flags.hide_ui_dir_config)
    ]
    gr.HTML(
        settings_form(infos, lambda info: setting_choices(house, info, tabs)),
        elem_id="settings",
        elem_classes=["settings"],
    )


def shown_above_tabs(house: House) -> list[str]:
    """Keys of the settings in the row above the tabs: the checkpoint, then what the user wants there."""
    return [CHECKPOINT, *(key for key in house.store.options.quicksettings_list if key != CHECKPOINT)]


def setting_choices(house: House, info: OptionInfo, tabs: Sequence[str] = ()) -> Sequence[str]:
    """What an option can be chosen from now; nothing if it is free."""
    known = {
        ChoiceSource.CHECKPOINTS: lambda: checkpoint_titles(house),
        ChoiceSource.VAES: lambda: [
            "Automatic",
            "None",
            *(file.name for file in house.engine.vae_shelf.list()),
        ],
        ChoiceSource.SAMPLERS: lambda: [each.name for each in SAMPLERS.values()],
        ChoiceSource.TABS: lambda: tabs,
        ChoiceSource.OPTIONS: lambda: [each.key for each in describe_options()],
        ChoiceSource.LOCALIZATIONS: lambda: ["None", *_localizations(house)],
        ChoiceSource.INFOTEXT_FIELDS: lambda: [field.key for field in FIELDS],
    }
    return known[info.source]() if info.source in known else info.choices


def _localizations(house: House) -> list[str]:
    folder = house.folders.localizations
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
