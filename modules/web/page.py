"""The page: quick settings, the tabs, the footer."""

import platform

import gradio as gr

from modules.house import House
from modules.version import VERSION
from modules.web.extra_networks_dialogs import network_dialogs
from modules.web.extras_tab import extras_tab
from modules.web.gradio_door import GuardedBlocks
from modules.web.img2img_tab import img2img_tab
from modules.web.menus import read_menus
from modules.web.merger_tab import merger_tab
from modules.web.pnginfo_tab import pnginfo_tab
from modules.web.queue_tab import queue_tab
from modules.web.quicksettings import CheckpointChooser
from modules.web.settings_tab import settings_tab
from modules.web.txt2img_tab import txt2img_tab
from modules.web.ui_config import UiConfig
from modules.web.widgets import TabPage, tab_bar, tab_page

__all__ = ["build_page"]

PAGES: tuple[TabPage, ...] = (
    ("tab_txt2img", "txt2img"),
    ("tab_img2img", "img2img"),
    ("tab_extras", "Extras"),
    ("tab_pnginfo", "PNG Info"),
    ("tab_modelmerger", "Checkpoint Merger"),
    ("tab_queue", "Queue"),
    ("tab_settings", "Settings"),
)


def build_page(house: House) -> gr.Blocks:
    """The whole page over `house`.

    Nothing in it starts work by itself or asks another machine for anything.
    """
    menus = read_menus(house)
    defaults = UiConfig.read(house.folders.ui_config_file)
    with GuardedBlocks(analytics_enabled=False, title="Easel", fill_width=True) as page:
        chooser = CheckpointChooser(house)
        with gr.Column(elem_id="tabs", min_width=0):
            tab_bar(PAGES, "Tabs")
            with tab_page("tab_txt2img", is_first=True):
                forms = [txt2img_tab(house, menus, defaults)]
            with tab_page("tab_img2img"):
                forms.append(img2img_tab(house, menus, defaults))
            with tab_page("tab_extras"):
                extras_tab(house, defaults)
            with tab_page("tab_pnginfo"):
                pnginfo_tab()
            with tab_page("tab_modelmerger"):
                merger_tab(house, defaults)
            with tab_page("tab_queue"):
                queue_tab()
            with tab_page("tab_settings"):
                settings_tab(house, [title for _, title in PAGES])
        network_dialogs()
        gr.HTML(_footer(), elem_id="footer")
        chooser.bind(page, forms)
    return page


def _footer() -> str:
    versions = f"version {VERSION} · python {platform.python_version()} · gradio {gr.__version__}"
    theme = '<button type="button" id="toggle-theme">Light or dark</button>'
    links = f'<a href="docs" target="_blank">API</a> · {theme}'
    return f'<div class="footer-links">{links}</div><div class="versions">{versions}</div>'
