"""The tokens of prompts, counted whether or not a model is loaded here."""

from functools import cached_property
from pathlib import Path

from transformers import CLIPTokenizer

from modules.checkpoints import Model, load_tokenizer
from modules.conditioning import ConditioningOptions, EmbeddingLookup, PromptCounter
from modules.prompts import Emphasis
from modules.settings import Options

__all__ = ["TokenCounts", "conditioning_options"]

TOKENIZER = "clip-tokenizer"


def conditioning_options(options: Options) -> ConditioningOptions:
    """The settings that conditioning depends on."""
    return ConditioningOptions(
        clip_stop_at_last_layers=options.CLIP_stop_at_last_layers,
        emphasis=Emphasis(options.emphasis),
        comma_padding_backtrack=options.comma_padding_backtrack,
        use_old_scheduling=options.use_old_scheduling,
        crop_top=options.sdxl_crop_top,
        crop_left=options.sdxl_crop_left,
        low_aesthetic_score=options.sdxl_refiner_low_aesthetic_score,
        high_aesthetic_score=options.sdxl_refiner_high_aesthetic_score,
    )


class TokenCounts:
    """Counts with a model's own tokenizer, or that of `configs` where models are loaded elsewhere."""

    def __init__(self, configs: Path) -> None:
        self._configs = configs

    def count(
        self,
        text: str,
        options: Options,
        model: Model | None,
        embeddings: EmbeddingLookup | None,
        *,
        negative: bool = False,
    ) -> tuple[int, int]:
        """Tokens that `text` uses and the limit of its chunks, (12, 75)."""
        tokenizer = model.towers[0].tokenizer if model else self._usual
        counter = PromptCounter(tokenizer, conditioning_options(options), embeddings)
        return counter.count(text, negative=negative)

    @cached_property
    def _usual(self) -> CLIPTokenizer:
        return load_tokenizer(self._configs / TOKENIZER)
