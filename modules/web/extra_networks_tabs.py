"""The tabs of cards beside Generation: Textual Inversion, Hypernetworks, Checkpoints, Lora.

Their places are in the page from the start; static/js/networks.js puts the cards in when a tab is opened.
"""

import html
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from modules.extra_networks import NetworkKind
from modules.web.form import Form
from modules.web.widgets import TabPage, tab_bar, tab_page

__all__ = ["network_tabs"]

SORTS = (
    ("path", "Path"),
    ("name", "Name"),
    ("created", "Date Created"),
    ("modified", "Date Modified"),
)
"""What the route calls an order, and what the setting `extra_networks_card_order_field` calls it."""


@contextmanager
def network_tabs(form: Form) -> Iterator[None]:
    """Lay the tabs of `form` out; what is laid out inside the block is in the first, Generation."""
    first: TabPage = (form.element_id("generation_page"), "Generation")
    pages = [(form.element_id(f"{kind}_page"), kind.heading) for kind in NetworkKind]
    with gr.Column(
        elem_id=form.element_id("extra_tabs"), elem_classes=["subtabs", "network-tabs"], min_width=0
    ):
        tab_bar([first, *pages], "Generation and extra networks")
        with tab_page(first[0], is_first=True):
            yield
        for kind, (page_id, _) in zip(NetworkKind, pages, strict=True):
            with tab_page(page_id):
                gr.HTML(_pane(form, kind), elem_id=form.element_id(f"{kind}_pane"), elem_classes=["networks"])


def _pane(form: Form, kind: NetworkKind) -> str:
    def part(name: str) -> str:
        return form.element_id(f"{kind}_{name}")

    title = html.escape(kind.heading)
    orders = "".join(f'<option value="{value}">{name}</option>' for value, name in SORTS)
    return (
        f'<div class="network-pane" data-tab="{form.tab}" data-kind="{kind}">'
        f'<div class="network-controls" id="{part("controls")}">'
        f'<input type="search" id="{part("extra_search")}" class="network-search" autocomplete="off" '
        f'placeholder="Search" aria-label="Search {title}">'
        f'<label class="network-sort">Sort by <select id="{part("extra_sort")}">{orders}</select></label>'
        f"{_tool(part('extra_sort_dir'), 'direction', 'up', 'Descending')}"
        f"{_tool(part('extra_tree_view'), 'folders', 'folder', 'Folders')}"
        f"{_tool(part('extra_refresh'), 'refresh', 'refresh', 'Look for new files')}"
        f'<span class="network-count" role="status"></span>'
        f'<button type="button" class="network-versions" hidden></button></div>'
        f'<div class="network-body">'
        f'<nav id="{part("tree")}" class="network-tree" aria-label="Folders of {title}" hidden></nav>'
        f'<div id="{part("cards")}" class="extra-network-cards" tabindex="-1"></div></div></div>'
    )


def _tool(elem_id: str, name: str, icon: str, label: str) -> str:
    return (
        f'<button type="button" class="tool secondary icon-{icon} network-{name}" id="{elem_id}" '
        f'title="{label}" aria-label="{label}"></button>'
    )
