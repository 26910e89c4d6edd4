"""The record a picture carries: everything that decided it, so that it can be made again and compared."""

import hashlib
from typing import Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from modules.generation.drawn import Drawn, FileFacts, ModelFiles, Role
from modules.generation.inputs import INPUT_FIELDS, input_digests
from modules.generation.order import Order, StyleTexts
from modules.generation.run import Run
from modules.generation.surroundings import Surroundings
from modules.settings import describe_options

__all__ = ["RECORD_VERSION", "PictureRecord", "PixelFacts", "pixel_facts", "record_of"]

RECORD_VERSION = 1
# How a picture was asked for and handed over, and what stands in the record in another form.
NOT_IN_RECORD = {
    *INPUT_FIELDS,
    "override_settings",
    "override_settings_restore_afterwards",
    "hr_checkpoint_name",
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
    pass with a checkpoint of its own.
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
    adapters: tuple[FileFacts, ...] = ()
    embeddings: tuple[FileFacts, ...] = ()
    surroundings: Surroundings
    pixels: PixelFacts

    def text(self) -> str:
        """The record as JSON, as it goes into a file."""
        return self.model_dump_json()


def pixel_facts(image: Image.Image) -> PixelFacts:
    """Mode, size and hash of the pixels of `image`, which is RGB, RGBA or L."""
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    return PixelFacts(mode=image.mode, width=image.width, height=image.height, sha256=digest)


def record_of(run: Run, drawn: Drawn, image: Image.Image) -> PictureRecord:
    """The record of `drawn`, a picture of `run`, whose pixels are `image`."""
    facts, varies = drawn.facts, run.request.subseed_strength > 0
    return PictureRecord(
        kind=run.order.kind,
        role=drawn.role,
        index=drawn.index,
        seed=drawn.seed,
        subseed=drawn.subseed if varies else None,
        complete=drawn.complete,
        # A variation seed that was drawn and not used would make each record of the same picture another.
        request=run.request.model_dump(
            mode="json", exclude=NOT_IN_RECORD | (set() if varies else {"subseed"})
        ),
        settings=_settings(run.order),
        styles=run.order.styles,
        inputs=tuple(InputFacts(field=field, sha256=digest) for field, digest in input_digests(run.request)),
        model=facts.files,
        second=facts.second,
        surroundings=facts.surroundings,
        pixels=pixel_facts(image),
    )


def _settings(order: Order) -> dict[str, Any]:
    """The settings of `order` that can change a picture and are no names of files."""
    keys = [each.key for each in describe_options() if each.affects_pixels]
    return {key: order.settings[key] for key in keys if key in order.settings and key not in FILE_SETTINGS}
