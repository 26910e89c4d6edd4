"""The Settings page as HTML, made from the declared options.

Static/js/settings.js fills in the values and saves them.
"""

import html
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from modules.settings import ComponentKind, OptionInfo
from modules.web.setting_choices import FILE_SOURCES

__all__ = ["settings_form"]

# More choices than this are typed, with commas between them.
MOST_TICKS = 40

Choices = Callable[[OptionInfo], Sequence[str]]


def settings_form(infos: Iterable[OptionInfo], choices: Choices) -> str:
    """The whole form; `choices` gives the values an option can be chosen from, none if it is free."""
    sections = [
        (section_id, list(members))
        for section_id, members in groupby(infos, key=lambda info: info.section_id)
    ]
    links = "".join(
        f'<a href="#settings_{section_id}" data-section="{section_id}">'
        f"{html.escape(members[0].section_title)}</a>"
        for section_id, members in sections
    )
    pages = "".join(_section(section_id, members, choices) for section_id, members in sections)
    return (
        f'<div class="settings-layout"><div class="settings-side">{_SEARCH}<nav id="settings_nav" '
        f'aria-label="Sections">{links}</nav></div><div class="settings-main">{_ACTIONS}'
        f'<form id="settings_form" autocomplete="off">{pages}'
        f'<p id="settings_nothing" hidden>No setting fits the search.</p></form></div></div>'
    )


_SEARCH = (
    '<input type="search" id="settings_search" placeholder="Search settings" aria-label="Search settings">'
    '<label class="settings-only"><input type="checkbox" id="settings_only_changed"> '
    "Only what differs from the default</label>"
)

_ACTIONS = (
    '<div class="settings-actions">'
    '<button type="button" id="settings_submit" class="primary">Apply settings</button>'
    '<button type="button" id="settings_discard" title="Take back what has not been applied">'
    "Discard changes</button>"
    '<button type="button" id="settings_restart_gradio" title="Load the page again">Reload UI</button>'
    '<span id="settings_state" role="status"></span></div>'
)


def _section(section_id: str, members: Sequence[OptionInfo], choices: Choices) -> str:
    options = "".join(_option(info, choices(info)) for info in members)
    title = html.escape(members[0].section_title)
    return (
        f'<section id="settings_{section_id}" data-section="{section_id}"><h2>{title}</h2>{options}</section>'
    )


def _option(info: OptionInfo, choices: Sequence[str]) -> str:
    default = html.escape(json.dumps(info.default, ensure_ascii=False))
    help_text = " ".join(
        filter(None, [info.help, "Takes effect when the page is loaded again." if info.needs_reload else ""])
    )
    words = html.escape(f"{info.key} {info.label} {info.help}".lower())
    shown = f'<p class="setting-help" id="help_{info.key}">{html.escape(help_text)}</p>' if help_text else ""
    return (
        f'<div class="setting" id="setting_{info.key}" data-key="{info.key}" '
        f'data-kind="{_control_kind(info, choices)}" '
        f'data-default="{default}" data-words="{words}">'
        f'<div class="setting-name"><label for="input_{info.key}">{html.escape(info.label)}</label>'
        f'<button type="button" class="setting-reset" title="Back to the default: {default}" '
        f'aria-label="Reset {html.escape(info.label)} to its default"></button></div>'
        f"{_control(info, choices)}{shown}</div>"
    )


def _control_kind(info: OptionInfo, choices: Sequence[str]) -> str:
    """How the script reads the control: tick, number, text, list (typed with commas) or ticks."""
    if info.kind is ComponentKind.CHECKBOX:
        return "tick"
    if info.kind in (ComponentKind.NUMBER, ComponentKind.SLIDER):
        return "number"
    if info.kind is ComponentKind.MULTISELECT:
        return "ticks" if 0 < len(choices) <= MOST_TICKS else "list"
    return "text"


def _control(info: OptionInfo, choices: Sequence[str]) -> str:
    names = f'id="input_{info.key}" name="{info.key}"' + (
        f' aria-describedby="help_{info.key}"' if info.help else ""
    )
    kind = _control_kind(info, choices)
    if kind == "tick":
        return f'<input type="checkbox" {names}>'
    if kind == "number":
        return _number(info, names)
    if kind == "ticks":
        return f'<div class="setting-ticks" {names} role="group">{"".join(map(_tick, choices))}</div>'
    if kind == "list":
        return f'<input type="text" {names} placeholder="several, with commas between them">'
    if choices:
        select = f"<select {names}>{''.join(map(_choice, choices))}</select>"
        return _with_refresh(info, select) if info.source in FILE_SOURCES else select
    return f'<input type="text" {names}>'


def _with_refresh(info: OptionInfo, select: str) -> str:
    label = html.escape(f"Look for new files: {info.label}")
    return (
        f'<div class="setting-files">{select}<button type="button" id="refresh_{info.key}" '
        f'class="tool icon-refresh setting-refresh" title="{label}" aria-label="{label}"></button></div>'
    )


def _number(info: OptionInfo, names: str) -> str:
    bounds = {"min": info.minimum, "max": info.maximum, "step": info.step or "any"}
    attributes = " ".join(f'{name}="{value}"' for name, value in bounds.items() if value is not None)
    number = f'<input type="number" {names} {attributes}>'
    if info.kind is not ComponentKind.SLIDER:
        return number
    slider = f'<input type="range" {attributes} tabindex="-1" aria-hidden="true">'
    return f'<div class="setting-slider">{slider}{number}</div>'


def _tick(choice: str) -> str:
    text = html.escape(choice)
    return f'<label><input type="checkbox" value="{text}"> {text}</label>'


def _choice(choice: str) -> str:
    text = html.escape(choice)
    return f'<option value="{text}">{text or "(none)"}</option>'
