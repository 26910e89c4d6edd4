"""The txt2img tab."""

from modules.house import House
from modules.web.form import Form
from modules.web.generation_panel import OwnParts
from modules.web.generation_tab import generation_tab
from modules.web.hires_fold import hires_fold
from modules.web.menus import Menus
from modules.web.ui_config import UiConfig

__all__ = ["txt2img_tab"]


def txt2img_tab(house: House, menus: Menus, defaults: UiConfig) -> Form:
    """Lay the tab out and bind it; gives its form."""
    form = Form("txt2img", defaults)
    generation_tab(form, house, menus, OwnParts(folds=lambda: hires_fold(form, menus)))
    return form
