"""From what a picture tells about itself to the order that draws it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from modules.errors import EaselError
from modules.generation import (
    Engine,
    Img2ImgRequest,
    Order,
    PictureRecord,
    Role,
    ScriptMenu,
    parse_img2img,
    parse_txt2img,
    plan_run,
    sentence_of_errors,
)
from modules.infotext import read_infotext, to_request_values
from modules.proof.evidence import Evidence
from modules.proof.files import FoundFiles, find_files
from modules.proof.inputs import Source, find_inputs
from modules.settings import Options, describe_options

__all__ = ["Proof", "retrace"]

ON_PROCESSOR = "cpu"
TEXT_ONLY = (
    "The picture carries no record, only its generation text: what the text does not name was taken to be as "
    "the program has it at first."
)


@dataclass(frozen=True)
class Proof:
    """What has to be drawn to check `evidence`: the pictures `wanted` of `order`, which saves nothing.

    A picture needs no more than the batch it was drawn in, a grid all pictures.
    """

    evidence: Evidence
    order: Order
    wanted: tuple[int, ...]
    notes: tuple[str, ...]


def retrace(evidence: Evidence, engine: Engine, sources: Sequence[Source] = ()) -> Proof:
    """How to draw the picture again with the files that `engine` has, and from pictures in `sources`.

    Raises EaselError with what is missing for it: record and text, a file, the end of an interrupted run.
    """
    if evidence.record is None:
        return _from_text(evidence)
    record = evidence.record
    if not record.complete:
        raise EaselError("This picture was given up before its last step; it cannot be made again.")
    inputs = find_inputs(record, engine.inputs, sources) if record.kind == "img2img" else {}
    found = find_files(record, engine)
    order = _order(record, found, inputs, engine.scripts)
    if record.index not in range(order.pictures):
        raise EaselError(
            f"The record in this picture is damaged: it is picture {record.index} of {order.pictures}."
        )
    if record.role is Role.GRID:
        return Proof(evidence, order, tuple(range(order.pictures)), found.notes)
    narrowed, index = _its_batch_alone(order, record)
    return Proof(evidence, narrowed, (index,), found.notes)


def _order(record: PictureRecord, found: FoundFiles, inputs: dict[str, Any], scripts: ScriptMenu) -> Order:
    """The order as it was given, with the files under the names that they have here and its pictures."""
    known = {each.key for each in describe_options() if each.affects_pixels}
    settings = {key: value for key, value in record.settings.items() if key in known}
    # The flags decide about attention where the setting leaves it to the program.
    settings["cross_attention_optimization"] = record.surroundings.attention
    values = {"subseed": 0, **record.request, **inputs, "refiner_checkpoint": found.refiner}
    request = (
        parse_img2img(values) if inputs else parse_txt2img({**values, "hr_checkpoint_name": found.second})
    )
    options = Options().overridden({**settings, **found.settings})
    planned = scripts.plan(request)
    try:
        return Order(
            request=request.model_copy(update=dict(planned.changes)),
            settings=options.model_dump(mode="json"),
            styles=record.styles,
            threads=record.surroundings.threads if record.surroundings.device == ON_PROCESSOR else None,
            script=planned.plan,
            vae_strips=record.vae_strips,
        )
    except ValidationError as error:
        raise sentence_of_errors(error.errors()) from error


def _its_batch_alone(order: Order, record: PictureRecord) -> tuple[Order, int]:
    """The order of nothing but the batch that the picture was drawn in, and its index there.

    Pictures drawn together round otherwise than one alone, so the batch keeps its size.
    """
    request = order.request
    run = plan_run(order)
    group = next(group for group in run.groups if record.index in group)
    changed: dict[str, Any] = {
        "batch_size": len(group),
        "n_iter": 1,
        "seed": run.seeds.seeds[group.start],
        "subseed": run.seeds.subseeds[group.start],
    }
    if record.role is Role.BEFORE_HIRES:
        changed["enable_hr"] = False
    if isinstance(request, Img2ImgRequest):
        changed["init_images"] = _pictures_of(request, group)
    return order.model_copy(
        update={"request": request.model_copy(update=changed)}
    ), record.index - group.start


def _pictures_of(request: Img2ImgRequest, group: range) -> tuple[str, ...]:
    """What the pictures of `group` start from: one for all, or one each."""
    given = request.init_images
    return given if len(given) == 1 else tuple(given[picture % request.batch_size] for picture in group)


def _from_text(evidence: Evidence) -> Proof:
    if not evidence.infotext:
        raise EaselError(
            "This picture carries neither a record nor a generation text: nothing says how it was made."
        )
    text = read_infotext(evidence.infotext)
    if "Seed" not in text.fields:
        raise EaselError("This picture carries no record, and its generation text names no seed.")
    if "Denoising strength" in text.fields and not any(key.startswith("Hires") for key in text.fields):
        raise EaselError(
            "This picture carries no record, and its text says that it was drawn from another picture, but "
            "not from which."
        )
    values = to_request_values(text)
    settings = Options().overridden(values.pop("override_settings"))
    request = parse_txt2img({"subseed": 0, **values})
    order = Order(request=request, settings=settings.model_dump(mode="json"))
    return Proof(evidence, order, (0,), (TEXT_ONLY,))
