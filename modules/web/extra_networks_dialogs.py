"""The dialogs of cards: what a person writes about a network, and the metadata in its file.

There is one of each on the page; static/js/network_editor.js fills them in.
"""

import html

import gradio as gr

from modules.extra_networks import ModelVersion

__all__ = ["network_dialogs"]

FIELDS = (
    ("description", "Description", "textarea", ""),
    ("sd_version", "Stable Diffusion version", "select", ""),
    ("activation_text", "Activation text", "textarea", "Put into the prompt with the network."),
    ("preferred_weight", "Preferred weight", "number", "0: the default of the settings."),
    ("negative_text", "Negative prompt", "textarea", "Put into the negative prompt with the network."),
    ("notes", "Notes", "textarea", ""),
)
"""By the names of the route's fields."""
TAGS_BEFORE = "notes"

TAGS = (
    '<div class="network-field" id="network_tags_field" hidden><b>Tags of the training pictures</b>'
    '<div id="network_tags"></div><p class="network-help">Click one to put it into the activation text, or '
    "to take it out.</p>"
    '<label for="network_random">Random prompt</label><div class="network-random">'
    '<textarea id="network_random" rows="2" readonly></textarea>'
    '<button type="button" id="network_random_again">Another</button></div></div>'
)

EDITOR = (
    '<div class="network-editor"><h2 id="network_editor_title"></h2>'
    '<p id="network_editor_closed" class="network-closed" role="note" hidden></p>'
    '<div class="network-editor-columns"><div class="network-editor-fields">{fields}</div>'
    '<div class="network-editor-side"><div id="network_editor_preview" class="network-editor-preview"></div>'
    '<button type="button" id="network_preview_chosen">Replace the preview with the chosen picture</button>'
    '<label class="network-file"><input type="file" id="network_preview_file" '
    'accept="image/png,image/jpeg,image/webp,image/avif,image/gif"><span>Replace it with a file …</span>'
    "</label>"
    '<table id="network_editor_facts"></table></div></div>'
    '<p id="network_editor_state" role="status"></p>'
    '<div class="network-editor-buttons"><button type="button" id="network_editor_cancel">Cancel</button>'
    '<button type="button" id="network_editor_save" class="primary">Save</button></div></div>'
)

METADATA = (
    '<div class="network-editor"><h2 id="network_metadata_title"></h2>'
    '<pre id="network_metadata" tabindex="0"></pre>'
    '<div class="network-editor-buttons"><button type="button" id="network_metadata_copy">Copy</button>'
    '<button type="button" id="network_metadata_close" class="primary">Close</button></div></div>'
)


def network_dialogs() -> None:
    """Lay both out, hidden."""
    fields = "".join(TAGS * (name == TAGS_BEFORE) + _field(name, *rest) for name, *rest in FIELDS)
    for elem_id, content in (
        ("network_editor", EDITOR.format(fields=fields)),
        ("network_metadata_dialog", METADATA),
    ):
        with gr.Column(elem_id=elem_id, elem_classes=["dialog", "network-dialog"], min_width=0):
            gr.HTML(content)


def _field(name: str, label: str, control: str, info: str) -> str:
    elem_id = f"network_{name}"
    names = f'id="{elem_id}" name="{name}"' + (f' aria-describedby="{elem_id}_info"' if info else "")
    shown = f'<p class="network-help" id="{elem_id}_info">{html.escape(info)}</p>' if info else ""
    return (
        f'<div class="network-field" data-field="{name}"><label for="{elem_id}">{html.escape(label)}</label>'
        f"{_control(control, names)}{shown}</div>"
    )


def _control(control: str, names: str) -> str:
    if control == "select":
        versions = "".join(f"<option>{version}</option>" for version in ModelVersion)
        return f"<select {names}>{versions}</select>"
    if control == "number":
        return f'<input type="number" min="0" max="2" step="0.05" {names}>'
    return f'<textarea rows="2" {names}></textarea>'
