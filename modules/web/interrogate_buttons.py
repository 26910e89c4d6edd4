"""The buttons that put the picture of the open sub-tab into words (static/js/interrogate.js)."""

from modules.interrogation import CAPTION, TAGS
from modules.web.form import Form
from modules.web.widgets import icon_button, scripts_place

__all__ = ["interrogate_buttons"]

BUTTONS = (
    ("interrogate", "describe", CAPTION, "Interrogate CLIP: describe the picture in a sentence"),
    ("deepbooru", "tags", TAGS, "Interrogate DeepBooru: describe the picture in tags"),
)
"""Element id, icon, the model that is asked, and what the button is called."""


def interrogate_buttons(form: Form) -> None:
    """Lay the buttons out, and the place of the menu of models, which is there once there are several.

    What a model says takes the place of the form's prompt.
    """
    for elem_id, icon, model, label in BUTTONS:
        button = icon_button(label, icon, elem_id)
        button.click(fn=None, js=f"() => {{ describePicture({form.tab!r}, {model!r}, {elem_id!r}); }}")
    scripts_place(form.element_id("interrogators"))
