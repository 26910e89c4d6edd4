"""How many tokens a prompt has and how many fit: the small number at the prompt's corner."""

import html
from collections.abc import Sequence

from modules.errors import EaselError
from modules.house import House

__all__ = ["TokenCounter"]


class TokenCounter:
    """Counts with the loaded checkpoint's own tokenizer, by setting with the chosen styles."""

    def __init__(self, house: House) -> None:
        self._house = house

    def count_positive(self, prompt: str | None, styles: Sequence[str] | None) -> str:
        """The counter of the prompt, as HTML."""
        return self._shown(self._drawn(prompt or "", "", styles)[0], negative=False)

    def count_negative(self, prompt: str | None, styles: Sequence[str] | None) -> str:
        """The counter of the negative prompt, as HTML."""
        return self._shown(self._drawn("", prompt or "", styles)[1], negative=True)

    def _drawn(self, prompt: str, negative: str, styles: Sequence[str] | None) -> tuple[str, str]:
        options = self._house.store.options
        counted = styles or [] if options.include_styles_into_token_counters else []
        return self._house.styles.drawn(
            prompt, negative, counted, has_comments=options.enable_prompt_comments
        )

    def _shown(self, text: str, negative: bool) -> str:
        try:
            used, limit = self._house.engine.count_tokens(text, self._house.store.options, negative=negative)
        except EaselError as error:
            return f'<span class="unknown" title="{html.escape(str(error))}">?</span>'
        return f'<span title="{used} tokens; prompts are read in pieces of 75">{used}/{limit}</span>'
