"""Putting the parameters of a generation text into a form."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.house import House
from modules.infotext import read_infotext, to_request_values
from modules.web.form import Form

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

    def _newest_text(self) -> str:
        jobs = [job for job in self._house.queue.jobs() if job.pictures]
        return jobs[-1].pictures[0].infotext if jobs else ""
