"""Putting the parameters of a generation text into a form."""

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.house import House
from modules.infotext import read_infotext, to_request_values
from modules.web.form import Form
from modules.web.tasks import gallery_pictures

__all__ = ["ParameterReader"]


class ParameterReader:
    """Fills one form."""

    def __init__(self, house: House, form: Form) -> None:
        self._house = house
        self._form = form

    def read_prompt(self, prompt: str | None) -> Sequence[Any]:
        """Read the text that stands in the prompt; an empty prompt takes the text of the newest picture."""
        text = prompt if prompt and prompt.strip() else self._newest_text()
        if not text:
            gr.Info("There is nothing to read yet: paste a generation text into the prompt first.")
            return [gr.skip() for _ in self._form.controls]
        return self.read(text)

    def read(self, text: str) -> Sequence[Any]:
        """The updates of the form's controls, in their order, for generation text `text`."""
        try:
            values = to_request_values(read_infotext(text))
        except EaselError as error:
            gr.Warning(str(error))
            return [gr.skip() for _ in self._form.controls]
        return self._form.updates(values)

    def read_picture(self, index: int | None, info: str | None) -> Sequence[Any]:
        """Read the text of the picture at `index` of the gallery, whose texts are in the JSON `info`."""
        texts = json.loads(info or "{}").get("infotexts", [])
        if not 0 <= (index or 0) < len(texts):
            gr.Info("There is no picture in the gallery yet.")
            return [gr.skip() for _ in self._form.controls]
        return self.read(texts[index or 0])

    def _newest_text(self) -> str:
        jobs = [job for job in self._house.queue.jobs() if job.pictures]
        return gallery_pictures(jobs[-1])[0].infotext if jobs else ""
