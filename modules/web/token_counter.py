"""How many tokens a prompt has and how many fit: the small number at the prompt's corner."""

import html
from collections.abc import Sequence

from modules.conditioning import ConditioningOptions, PromptEncoder
from modules.errors import EaselError
from modules.house import House

__all__ = ["TokenCounter"]

DEFAULT_STEPS = 20


class TokenCounter:
    """Counts with the loaded checkpoint's own tokenizer, styles included.

    Until one is loaded nothing is counted.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def count_positive(self, prompt: str | None, steps: float | None, styles: Sequence[str] | None) -> str:
        """The counter of the prompt, as HTML."""
        text, _ = self._house.styles.apply(prompt or "", "", styles or [])
        return self._shown(text, steps, negative=False)

    def count_negative(self, prompt: str | None, steps: float | None, styles: Sequence[str] | None) -> str:
        """The counter of the negative prompt, as HTML."""
        _, text = self._house.styles.apply("", prompt or "", styles or [])
        return self._shown(text, steps, negative=True)

    def _shown(self, text: str, steps: float | None, negative: bool) -> str:
        model = self._house.engine.model
        if model is None:
            return (
                '<span class="unknown" title="Counted as soon as the checkpoint is loaded">&hellip;/75</span>'
            )
        options = self._house.store.options
        encoder = PromptEncoder(
            model,
            ConditioningOptions(
                comma_padding_backtrack=options.comma_padding_backtrack,
                use_old_scheduling=options.use_old_scheduling,
            ),
        )
        try:
            used, limit = encoder.count_tokens(text, max(int(steps or DEFAULT_STEPS), 1), negative=negative)
        except EaselError as error:
            return f'<span class="unknown" title="{html.escape(str(error))}">?</span>'
        return f'<span title="{used} tokens; prompts are read in pieces of 75">{used}/{limit}</span>'
