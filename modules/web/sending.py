"""Sending: the buttons that bring a picture to another place of the page, and its text into a form.

Which picture, and where it goes, is static/js/sending.js; reading the text is the server's.
"""

from typing import Any

from modules.web.form import Form
from modules.web.reading import ParameterReader
from modules.web.widgets import hidden_button, hidden_text, icon_button

__all__ = ["PLACES", "send_buttons", "take_sent_texts"]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
PLACES = {
    "txt2img": ("Send the picture's parameters to txt2img", "send"),
    "img2img": ("Send the picture and its parameters to img2img", "picture"),
    "inpaint": ("Send the picture and its parameters to inpaint", "brush"),
    "outpaint": ("Send the picture and its parameters to the outpaint canvas", "outpaint"),
    "extras": ("Send the picture to Extras", "enlarge"),
}
"""By name: what the button says, and its icon."""


def send_buttons(tab: str) -> None:
    """A button for each place, for the picture that is chosen in the gallery of `tab`."""
    for place, (label, icon) in PLACES.items():
        button = icon_button(label, icon, f"{tab}_send_to_{place}")
        button.click(fn=None, js=f"() => {{ sendResult({tab!r}, {place!r}); }}")


def take_sent_texts(form: Form, reader: ParameterReader) -> None:
    """Let scripts fill `form` from a generation text: `fillFormFromText` of sending.js."""
    text = hidden_text(form.element_id("text_to_read"))
    read = hidden_button(form.element_id("read_text"))
    read.click(reader.read_sent, text, form.components(), **QUIET).then(
        fn=None, js=f"() => {{ promptsChanged({form.tab!r}); }}"
    )
