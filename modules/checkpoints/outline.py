"""A checkpoint's modules without their numbers, and which tensor of the file each parameter is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

from modules.checkpoints.files import CheckpointFile
from modules.checkpoints.loading import plan_model
from modules.checkpoints.model import Family
from modules.checkpoints.sources import Sources
from modules.checkpoints.tensor_file import StoredTensor

__all__ = ["ModelOutline", "TowerOutline", "outline_model"]


@dataclass(frozen=True, slots=True, eq=False)
class TowerOutline:
    """A text encoder without numbers."""

    encoder: CLIPTextModel


@dataclass(frozen=True, slots=True, eq=False)
class ModelOutline:
    """The networks of a checkpoint on the meta device."""

    checkpoint: CheckpointFile
    family: Family
    unet: UNet2DConditionModel
    towers: tuple[TowerOutline, ...]
    _sources: Sequence[Sources]
    """Of the UNet, then of each tower."""

    def stored(self, tower: int, parameter: str) -> StoredTensor | None:
        """Where the numbers of a parameter lie in the file: those of the UNet (-1) or of a tower, by the
        module's own name of it. None if it has no such parameter.
        """
        source = self._sources[tower + 1].get(parameter)
        return source.stored if source else None


@contextmanager
def outline_model(file: CheckpointFile, configs: Path) -> Iterator[ModelOutline]:
    """The outline of a checkpoint, whose file is open inside the block.

    configs: the folder of Easel's model configurations. Raises EaselError as `plan_model` does.
    """
    with plan_model(file, configs) as plan:
        towers = tuple(TowerOutline(encoder) for encoder in plan.text_encoders)
        yield ModelOutline(plan.checkpoint, plan.family, plan.unet, towers, plan.sources)
