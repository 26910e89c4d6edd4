"""The record a picture carries: everything that decided it, so that it can be made again and compared."""

import hashlib
from functools import cached_property
from typing import Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from modules.generation.drawn import Drawn, FileFacts, ModelFiles, Role
from modules.generation.inputs import INPUT_FIELDS, input_digests
from modules.generation.order import StyleTexts
from modules.generation.run import Run
from modules.generation.strips import VaeStrips
from modules.generation.surroundings import Surroundings
from modules.settings import describe_options

__all__ = ["RECORD_VERSION", "PictureRecord", "PixelFacts", "Recorder", "pixel_facts"]

RECORD_VERSION = 1
# How a picture was asked for and handed over, and what stands in the record in another form.
NOT_IN_RECORD = {
    *INPUT_FIELDS,
    "override_settings",
    "override_settings_restore_afterwards",
    "hr_checkpoint_name",
    "refiner_checkpoint",
    "infotext",
    "force_task_id",
    "send_images",
    "save_images",
    "do_not_save_samples",
    "do_not_save_grid",
}
# The files that these name stand in the record by their contents.
FILE_SETTINGS = {"sd_model_checkpoint", "sd_vae"}


class PixelFacts(BaseModel):
    """The pixels of a picture as it was drawn: Pillow's mode, the size, and the sha256 of the plain bytes."""

    model_config = ConfigDict(frozen=True)

    mode: str = Field(pattern="^(RGB|RGBA|L)$")
    width: int
    height: int
    sha256: str


class InputFacts(BaseModel):
    """A picture that the request gave, by the field and the sha256 of its file."""

    model_config = ConfigDict(frozen=True)

    field: str
    sha256: str


class PictureRecord(BaseModel):
    """What decided one picture. It names files by name and contents, and no place on the disk.

    `index` counts the pictures of the request from 0. `subseed` is None without a variation. `settings` are
    those that can change pixels, the request's own laid over the others. `second` are the files of a hires
    pass with a checkpoint of its own, `refiner` those of who takes over in the middle. `vae_strips`: how
    large pictures were coded.
    """

    model_config = ConfigDict(frozen=True)

    record: Literal[1] = 1
    kind: Literal["txt2img", "img2img"]
    role: Role
    index: int
    seed: int
    subseed: int | None
    complete: bool
    request: dict[str, Any]
    settings: dict[str, Any]
    styles: tuple[StyleTexts, ...]
    inputs: tuple[InputFacts, ...] = ()
    model: ModelFiles
    second: ModelFiles | None
    refiner: ModelFiles | None = None
    adapters: tuple[FileFacts, ...] = ()
    embeddings: tuple[FileFacts, ...] = ()
    surroundings: Surroundings
    vae_strips: VaeStrips | None = None
    pixels: PixelFacts

    def text(self) -> str:
        """The record as JSON, as it goes into a file."""
        return self.model_dump_json()


def pixel_facts(image: Image.Image) -> PixelFacts:
    """Mode, size and hash of the pixels of `image`, which is RGB, RGBA or L."""
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    return PixelFacts(mode=image.mode, width=image.width, height=image.height, sha256=digest)


class Recorder:
    """Makes the records of a run's pictures. What all have in common is worked out once."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def record_of(self, drawn: Drawn, image: Image.Image) -> PictureRecord:
        """The record of `drawn`, a picture of the run, whose pixels are `image`."""
        facts = drawn.facts
        return PictureRecord(
            kind=self._run.order.kind,
            role=drawn.role,
            index=drawn.index,
            seed=drawn.seed,
            subseed=drawn.subseed if self._varies else None,
            complete=drawn.complete,
            request=self._request,
            settings={**self._settings, "exact_batches": True} if drawn.alone else self._settings,
            styles=self._run.order.styles,
            inputs=self._inputs,
            model=facts.files,
            second=facts.second,
            refiner=facts.refiner,
            adapters=facts.adapters,
            embeddings=facts.embeddings,
            surroundings=facts.surroundings,
            vae_strips=drawn.vae_strips,
            pixels=pixel_facts(image),
        )

    @property
    def _varies(self) -> bool:
        return self._run.request.subseed_strength > 0

    @cached_property
    def _request(self) -> dict[str, Any]:
        # A variation seed that was drawn and not used would make each record of the same picture another.
        left_out = NOT_IN_RECORD if self._varies else NOT_IN_RECORD | {"subseed"}
        return self._run.request.model_dump(mode="json", exclude=left_out)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """The settings that can change a picture and are no names of files."""
        given = self._run.order.settings
        keys = [each.key for each in describe_options() if each.affects_pixels]
        return {key: given[key] for key in keys if key in given and key not in FILE_SETTINGS}

    @cached_property
    def _inputs(self) -> tuple[InputFacts, ...]:
        found = input_digests(self._run.request)
        return tuple(InputFacts(field=field, sha256=digest) for field, digest in found)
