"""Putting the parameters of a generation text into a form."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gradio as gr

from modules.errors import EaselError
from modules.generation import PictureRequest
from modules.house import House
from modules.infotext import GenerationText, field_of_setting, read_infotext, to_request_values
from modules.sampling import resolve_sampler
from modules.web.form import Form
from modules.web.shown import made_pictures

__all__ = ["ParameterReader"]

Values = dict[str, Any]

HIRES_PROMPTS = ("hr_prompt", "hr_negative_prompt")
CHECKPOINT_FIELDS = ("hr_checkpoint_name", "refiner_checkpoint")


class ParameterReader:
    """Fills one form, as the settings of the section Infotext say."""

    def __init__(self, house: House, form: Form) -> None:
        self._house = house
        self._form = form

    def read_prompt(self, prompt: str | None) -> Sequence[Any]:
        """Read the text that stands in the prompt; an empty prompt takes the text of the newest picture.

        A text without parameters changes no other control than those that it names.
        """
        text = prompt if prompt and prompt.strip() else self._newest_text()
        if not text:
            return self._nothing(
                "There is nothing to read yet: paste a generation text into the prompt first."
            )
        read = read_infotext(text)
        if read.fields:
            return self._filled(text, self._values)
        if not read.negative_prompt:
            return self._nothing(
                'There are no parameters in the prompt: they stand on a line that begins with "Steps:".'
            )
        prompts = {"prompt": read.prompt, "negative_prompt": read.negative_prompt}
        shown = {**prompts, **self._styles(prompts)}
        return [gr.update(value=shown[name]) if name in shown else gr.skip() for name in self._form.controls]

    def read_sent(self, text: str | None) -> Sequence[Any]:
        """Read `text` of a picture that is sent to the form, by setting without its seed or its size."""
        if not text:
            return self._nothing("This picture carries no generation text that could be sent.")
        return self._filled(text, self._sent_values)

    def read_job(self, job_id: str | None) -> Sequence[Any]:
        """Put the request of a job into the form. Settings that were others when it was sent stand beside
        it, as if its text were read.
        """
        try:
            order = self._house.queue.get(job_id or "").order
            names = _names_of(order.request)
        except EaselError as error:
            gr.Warning(str(error))
            return [gr.skip() for _ in self._form.controls]
        current = self._current_settings()
        overrides = {
            key: value
            for key, value in order.settings.items()
            if current.get(key) != value
            and (key in order.request.override_settings or field_of_setting(key) is not None)
        }
        values = {**order.request.model_dump(), **names, "override_settings": overrides}
        return self._form.updates({**values, **self._titles(values)})

    def _current_settings(self) -> Values:
        """The settings as an order holds them: the checkpoint by its whole title."""
        options = self._house.store.options
        values = options.model_dump(mode="json")
        with suppress(EaselError):
            values["sd_model_checkpoint"] = self._house.engine.checkpoint_of(options).title
        return values

    def _filled(self, text: str, values: Callable[[GenerationText], Values]) -> Sequence[Any]:
        try:
            return self._form.updates(values(read_infotext(text)))
        except EaselError as error:
            gr.Warning(str(error))
            return [gr.skip() for _ in self._form.controls]

    def _nothing(self, sentence: str) -> Sequence[Any]:
        gr.Info(sentence)
        return [gr.skip() for _ in self._form.controls]

    def _values(self, text: GenerationText) -> Values:
        options = self._house.store.options
        skipped = set(options.infotext_skip_pasting)
        fields = {key: value for key, value in text.fields.items() if key not in skipped}
        values = to_request_values(replace(text, fields=fields))
        overrides = values["override_settings"]
        if options.disable_weights_auto_swap:
            overrides.pop("sd_model_checkpoint", None)
        current = options.model_dump()
        values["override_settings"] = {
            key: value for key, value in overrides.items() if current.get(key) != value
        }
        return {**values, **self._styles(values), **self._titles(values)}

    def _sent_values(self, text: GenerationText) -> Values:
        options, values = self._house.store.options, self._values(text)
        kept_out = set() if options.send_seed else {"seed", "subseed"}
        kept_out |= set() if options.send_size else {"width", "height"}
        return {key: value for key, value in values.items() if key not in kept_out}

    def _titles(self, values: Values) -> Values:
        """The checkpoints of passes under the titles that the menus have; a name that nothing has stays."""
        found = {}
        for field in CHECKPOINT_FIELDS:
            with suppress(EaselError):
                if values.get(field):
                    found[field] = self._house.engine.shelf.find(values[field]).title
        return found

    def _styles(self, values: Values) -> Values:
        """The prompts without the styles that they hold, and the styles to choose, by setting."""
        wish = self._house.store.options.infotext_styles
        prompt, negative = values.get("prompt", ""), values.get("negative_prompt", "")
        if wish == "Ignore":
            return {}
        has_comments = self._house.store.options.enable_prompt_comments
        found = self._house.styles.extract(prompt, negative, has_comments=has_comments)
        hires = self._hires_without(found.names, values)
        if hires is None:
            return {"styles": []} if wish == "Apply" else {}
        left = {"prompt": found.prompt, "negative_prompt": found.negative_prompt, **hires}
        if wish == "Discard":
            return left
        return left | ({"styles": list(found.names)} if found.names or wish == "Apply" else {})

    def _hires_without(self, names: Sequence[str], values: Values) -> dict[str, str] | None:
        """The prompts of the hires pass without the styles `names`, which will be put around them again.

        None where that would not give them back.
        """
        book, has_comments = self._house.styles, self._house.store.options.enable_prompt_comments
        own: dict[str, str] = {field: values[field] for field in HIRES_PROMPTS if values.get(field)}
        if not own or not names:
            return {}
        prompt, negative = (own.get(field) or values[field.removeprefix("hr_")] for field in HIRES_PROMPTS)
        left = book.extract(
            prompt,
            negative,
            has_comments=has_comments,
            names=names,
        )
        prompts = dict(zip(HIRES_PROMPTS, (left.prompt, left.negative_prompt), strict=True))
        again = book.drawn(left.prompt, left.negative_prompt, names, has_comments=has_comments)
        drawn = dict(zip(HIRES_PROMPTS, again, strict=True))
        is_same = all(prompts[field] and drawn[field] == text for field, text in own.items())
        return {field: prompts[field] for field in own} if is_same else None

    def _newest_text(self) -> str:
        jobs = [job for job in self._house.queue.jobs() if job.pictures]
        return made_pictures(jobs[-1])[0].infotext if jobs else ""


def _names_of(request: PictureRequest) -> Values:
    """What the form's menus show for names that a request may leave out or give in an older way."""
    sampler, schedule = resolve_sampler(request.sampler, request.scheduler)
    return {"sampler_name": sampler.name, "scheduler": schedule.name, "styles": list(request.styles)}
