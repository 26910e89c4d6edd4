"""Counting the tokens of prompts, for which no model has to be loaded."""

from functools import partial

from transformers import CLIPTokenizer

from modules.conditioning.options import ConditioningOptions
from modules.conditioning.stream import EmbeddingLookup, TokenCount, make_chunks
from modules.conditioning.tokens import chunk_rules, tokenise
from modules.prompts import PromptPart, parse_emphasis, schedule_prompt, split_and, take_network_tags

__all__ = ["PromptCounter"]

COUNTED_STEPS = 20


class PromptCounter:
    """Counts with a tokenizer alone, and the textual inversions that are known, under one set of options."""

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        options: ConditioningOptions,
        embeddings: EmbeddingLookup | None = None,
    ) -> None:
        self._tokenizer, self._options, self._embeddings = tokenizer, options, embeddings
        self._rules = chunk_rules(tokenizer, options.comma_padding_backtrack)

    def count(self, text: str, steps: int = COUNTED_STEPS, *, negative: bool = False) -> tuple[int, int]:
        """Tokens used and the limit of their chunks, as the counter beside a prompt shows them: (12, 75).

        Of several parts and scheduled texts the longest counts.
        """
        parts = [PromptPart(text, 1.0)] if negative else split_and(take_network_tags(text)[0])
        old = self._options.use_old_scheduling
        schedules = [schedule_prompt(part.text, steps, None, old_scheduling=old) for part in parts]
        texts = {entry.text for schedule in schedules for entry in schedule}
        longest = max(map(self._count, texts), key=lambda count: count.used)
        return longest.used, longest.limit

    def _count(self, text: str) -> TokenCount:
        pieces = parse_emphasis(text, self._options.emphasis)
        return make_chunks(pieces, partial(tokenise, self._tokenizer), self._rules, self._embeddings)[1]
