"""What a script makes of a request, as data that the order carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Planned", "ScriptPlan"]


class ScriptPlan(BaseModel):
    """The part of an order that its script decided.

    `passes`: width and height of each pass in which a group of pictures goes through the sampler. `fields`:
    what the script adds to the generation text.
    """

    model_config = ConfigDict(frozen=True)

    passes: tuple[tuple[int, int], ...] = Field(min_length=1)
    fields: dict[str, str | int | float] = {}


@dataclass(frozen=True)
class Planned:
    """A script's answer to a request: fields of the request that it sets, and its plan (None: no script)."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    plan: ScriptPlan | None = None
