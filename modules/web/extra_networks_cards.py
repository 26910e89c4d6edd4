"""A card as HTML. What comes from files, names among it, is escaped; a script binds what a card does."""

import html

from modules.extra_networks import Card, ModelVersion, NetworkKind, insertion_of, preview_address
from modules.settings import Options
from modules.web.safe_html import safe_html

__all__ = ["card_html"]

SIDE = 512
"""Pixels of a card's picture, its longer side."""
LONGEST_DESCRIPTION = 1500
"""Characters on a card; the editor shows all of it."""

USES = {
    NetworkKind.CHECKPOINTS: "Use the checkpoint",
    NetworkKind.TEXTUAL_INVERSION: "Put into the prompt, or take out",
    NetworkKind.HYPERNETWORKS: "Put into the prompt, or take out",
    NetworkKind.LORA: "Put into the prompt, or take out",
}


def card_html(card: Card, options: Options) -> str:
    """The card of `card`, by the settings of cards."""
    inserted = insertion_of(card, options)
    data = {
        "name": card.name,
        "label": card.label,
        "path": str(card.path),
        "kind": card.kind.value,
        "prompt": inserted.prompt,
        "negative": inserted.negative,
        "anywhere": "true" if inserted.anywhere else "",
    }
    attributes = " ".join(f'data-{key}="{_escaped(value)}"' for key, value in data.items())
    label = f"{USES[card.kind]}: {card.label}"
    return (
        f'<div class="card" {attributes}>'
        f'<button type="button" class="card-use" aria-pressed="false" aria-label="{_escaped(label)}" '
        f'title="{_escaped(card.name)}">{_picture(card)}</button>'
        f'<div class="button-row">{_buttons(card)}</div>'
        f'<div class="actions"><span class="name">{_escaped(card.label)}</span>{_version(card)}'
        f"{_note(card)}{_description(card, options)}</div></div>"
    )


def _picture(card: Card) -> str:
    address = preview_address(card)
    if address is None:
        return '<span class="no-preview" aria-hidden="true"></span>'
    source = f"{address}&size={SIDE}"
    return f'<img class="preview" src="{_escaped(source)}" alt="" loading="lazy" decoding="async">'


def _buttons(card: Card) -> str:
    buttons = [("copy-path-button", "copy", "Copy the path")]
    if card.said.facts.has_metadata:
        buttons.append(("metadata-button", "info", "Show the metadata in the file"))
    buttons.append(("edit-button", "edit", "Edit the description and the preview"))
    return "".join(
        f'<button type="button" class="card-button {name} icon-{icon}" title="{title}" '
        f'aria-label="{_escaped(f"{title}: {card.label}")}"></button>'
        for name, icon, title in buttons
    )


def _version(card: Card) -> str:
    if card.version is ModelVersion.UNKNOWN:
        return ""
    return (
        f'<span class="card-version" title="Made for this version of Stable Diffusion">{card.version}</span>'
    )


def _description(card: Card, options: Options) -> str:
    text = card.description[:LONGEST_DESCRIPTION]
    if not (options.extra_networks_card_show_desc and text):
        return ""
    shown = safe_html(text) if options.extra_networks_card_description_is_html else _escaped(text)
    return f'<div class="description">{shown}</div>'


def _note(card: Card) -> str:
    return f'<div class="description card-note">{_escaped(card.note)}</div>' if card.note else ""


def _escaped(text: str) -> str:
    """Names may hold bytes that are no text; they are shown as question marks."""
    return html.escape(text.encode("utf-8", "replace").decode())
