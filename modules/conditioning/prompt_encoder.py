"""Prompts to conditionings: AND parts, schedules, several pictures at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from modules.checkpoints import Model
from modules.conditioning.cache import EncodingCache
from modules.conditioning.options import ConditioningOptions
from modules.conditioning.stream import EmbeddingLookup
from modules.conditioning.text_encoder import Size, TextEncoder
from modules.conditioning.types import GuidedPart, Scheduled
from modules.prompts import ScheduledText, schedule_prompt, split_and

__all__ = ["PromptEncoder"]

USUAL_SIZE = (1024, 1024)


class PromptEncoder:
    """Encodes prompts for one model under one set of options.

    cache: what the text encoder answered before; hand in the same one again and texts that were seen are not
    encoded twice (setting `persistent_cond_cache`). embeddings: the textual inversions,
    for each text tower.
    """

    def __init__(
        self,
        model: Model,
        options: ConditioningOptions,
        cache: EncodingCache | None = None,
        embeddings: Sequence[EmbeddingLookup] = (),
    ) -> None:
        self._old_scheduling = options.use_old_scheduling
        self._texts = TextEncoder(model, options, EncodingCache() if cache is None else cache, embeddings)

    @torch.inference_mode()
    def positive(
        self,
        prompts: Sequence[str],
        steps: int,
        hires_steps: int | None = None,
        size: Size = USUAL_SIZE,
    ) -> list[tuple[GuidedPart, ...]]:
        """The parts of each prompt, one entry a picture. Tags of extra networks must be taken out before.

        steps: evaluations of the network in the first pass (twice the steps for samplers of second order);
        hires_steps: those of the second pass, whose texts the schedules then are. size: width and height in
        pixels, which Stable Diffusion XL is told.
        """
        parts = [split_and(prompt) for prompt in prompts]
        flat = [part.text for prompt in parts for part in prompt]
        schedules = iter(self._encode(flat, steps, hires_steps, size, negative=False))
        return [tuple(GuidedPart(part.weight, next(schedules)) for part in prompt) for prompt in parts]

    @torch.inference_mode()
    def negative(
        self,
        prompts: Sequence[str],
        steps: int,
        hires_steps: int | None = None,
        size: Size = USUAL_SIZE,
    ) -> list[tuple[Scheduled, ...]]:
        """The schedule of each negative prompt, which is not split at AND. The rest as in `positive`."""
        return self._encode(prompts, steps, hires_steps, size, negative=True)

    def _schedule(self, text: str, steps: int, hires_steps: int | None) -> list[ScheduledText]:
        return schedule_prompt(text, steps, hires_steps, old_scheduling=self._old_scheduling)

    def _encode(
        self, texts: Sequence[str], steps: int, hires_steps: int | None, size: Size, *, negative: bool
    ) -> list[tuple[Scheduled, ...]]:
        plans = {text: self._schedule(text, steps, hires_steps) for text in dict.fromkeys(texts)}
        scheduled = [[entry.text for entry in plan] for plan in plans.values()]
        encoded = self._texts.encode(scheduled, size, negative=negative)
        schedules = {
            text: tuple(
                Scheduled(entry.end_at_step, one) for entry, one in zip(plan, conditionings, strict=True)
            )
            for (text, plan), conditionings in zip(plans.items(), encoded, strict=True)
        }
        return [schedules[text] for text in texts]
