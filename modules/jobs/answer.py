"""What stays of a result once its pictures are in files: enough to give the same answer again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.generation import GenerationResult, MadePicture, ModelFacts, Run

__all__ = ["Answer"]


@dataclass(frozen=True)
class Answer:
    """A `GenerationResult` without its run and pictures, fit for JSON."""

    extra_fields: Mapping[str, Any]
    model: ModelFacts | None
    version: str
    job_timestamp: str
    shows_grid: bool

    @classmethod
    def of(cls, result: GenerationResult) -> "Answer":
        """What has to be kept of `result`."""
        return cls(
            extra_fields=dict(result.extra_fields),
            model=result.model,
            version=result.version,
            job_timestamp=result.job_timestamp,
            shows_grid=any(picture.is_grid for picture in result.pictures),
        )

    def result(self, run: Run, pictures: Sequence[MadePicture]) -> GenerationResult:
        """The result again, from all `pictures` of the job: a grid first, if it is part of it."""
        grids = [picture for picture in pictures if picture.is_grid and self.shows_grid]
        singles = [picture for picture in pictures if not picture.is_grid]
        return GenerationResult(
            pictures=(*grids, *singles),
            run=run,
            extra_fields=self.extra_fields,
            model=self.model,
            version=self.version,
            job_timestamp=self.job_timestamp,
        )
