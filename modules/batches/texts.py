"""What the texts of a picture say about how it is to be redrawn. Pure."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from modules.batches.plan import BatchPlan, PromptUse, TextProperty
from modules.infotext import read_infotext, to_request_values

__all__ = ["values_with_text"]

FIELDS_OF: Mapping[TextProperty, Collection[str]] = MappingProxyType(
    {
        TextProperty.SEED: ("seed",),
        TextProperty.CFG_SCALE: ("cfg_scale",),
        TextProperty.SAMPLER: ("sampler_name", "scheduler"),
        TextProperty.STEPS: ("steps",),
    }
)
PROMPTS: Mapping[TextProperty, str] = MappingProxyType(
    {TextProperty.PROMPT: "prompt", TextProperty.NEGATIVE_PROMPT: "negative_prompt"}
)
CHECKPOINT = "sd_model_checkpoint"


def values_with_text(values: Mapping[str, Any], infotext: str, plan: BatchPlan) -> dict[str, Any]:
    """The request `values` with what `infotext` says about the properties of `plan`."""
    read, result = to_request_values(read_infotext(infotext)), dict(values)
    for part in plan.properties:
        for field in FIELDS_OF.get(part, ()):
            if field in read:
                result[field] = read[field]
        if part in PROMPTS and read.get(PROMPTS[part]):
            field = PROMPTS[part]
            result[field] = _prompt(result.get(field) or "", read[field], plan.prompt_use)
    checkpoint = read["override_settings"].get(CHECKPOINT)
    if TextProperty.MODEL in plan.properties and checkpoint:
        result["override_settings"] = {**(result.get("override_settings") or {}), CHECKPOINT: checkpoint}
    return result


def _prompt(own: str, read: str, use: PromptUse) -> str:
    return f"{own} {read}" if own and use is PromptUse.APPEND else read
