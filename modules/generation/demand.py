"""What a run asks of the memory, and the refusal of one that asks too much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.run import Run
from modules.generation.strips import SHARES, VaeStrips
from modules.memory import (
    AttentionKind,
    ModelCosts,
    NotEnoughMemory,
    Pass,
    Work,
    forecast,
    largest_that_fits,
    most_given_pixels,
)
from modules.prompts import split_and

__all__ = ["refusal_of", "rough_bytes", "strips_of", "work_of"]

ROUGH_BYTES = 16_000
"""Of a pixel for each row of the batch: more than models take whose attention makes no matrix."""
ROUGH_GIVEN_BYTES = 60
ROUGH_GROWTH = 4
"""Bytes in memory for a byte of a checkpoint, at most."""
GIBIBYTE = 1 << 30


def work_of(run: Run, attention: AttentionKind, given_pixels: int = 0) -> Work:
    """What `run` asks of the memory; `given_pixels`: of the pictures that it starts from."""
    request, together = run.request, len(run.groups[0])
    parts = len(split_and(run.prompt_without_tags))
    batched = run.options.batch_cond_uncond and request.cfg_scale != 1
    rows = together * (parts + 1 if batched else parts)
    redraws = isinstance(request, Img2ImgRequest)
    masked = request if isinstance(request, Img2ImgRequest) and request.mask is not None else None
    largest = max(run.order.passes, key=math.prod)
    passes = [Pass(*largest, together, rows, encodes=redraws)]
    if run.hires:
        size = run.hires.size
        passes.append(Pass(size.scaled_width, size.scaled_height, together, rows, encodes=True))
    return Work(
        passes=_in_strips(passes, run.order.vae_strips, run),
        attention=attention,
        given_pixels=given_pixels,
        masked=masked is not None,
        only_masked=masked is not None and masked.inpaint_full_res,
        results=run.pictures,
    )


def _in_strips(passes: Sequence[Pass], strips: VaeStrips | None, run: Run) -> tuple[Pass, ...]:
    """`passes` whose larger pictures are coded as `strips` say."""
    if strips is None:
        return tuple(passes)
    share = strips.share
    return tuple(
        replace(
            each,
            decode_share=share if each.pixels > strips.decoding else None,
            encode_share=share if each.pixels > strips.encoding and not run.tiling else None,
        )
        for each in passes
    )


def strips_of(run: Run, work: Work, costs: ModelCosts, resting: int, room: int) -> VaeStrips | None:
    """The strips with which `work` fits into `room` bytes, of which `resting` are taken anyway: as few as can
    be, and none where it fits as it is. Where nothing fits, the smallest.
    """

    def fits(work: Work) -> bool:
        return forecast(costs, work, resting).peak <= room

    if fits(work):
        return None
    whole = [each.pixels for each in work.passes if fits(replace(work, passes=(each,)))]
    found = [
        VaeStrips(share=share, decoding=max(whole, default=0), encoding=max(whole, default=0))
        for share in SHARES
    ]
    fitting = (each for each in found if fits(replace(work, passes=_in_strips(work.passes, each, run))))
    return next(fitting, found[-1])


def rough_bytes(work: Work, file_bytes: int) -> int | None:
    """More than `work` can take with a checkpoint of `file_bytes`; None where that is not so easily told."""
    if work.attention is AttentionKind.NONE:
        return None
    drawn = max(each.pixels * max(each.rows, each.pictures) for each in work.passes)
    return drawn * ROUGH_BYTES + work.given_pixels * ROUGH_GIVEN_BYTES + file_bytes * ROUGH_GROWTH


def refusal_of(work: Work, costs: ModelCosts, resting: int, room: int) -> NotEnoughMemory | None:
    """The refusal of `work` where it takes more than `room` bytes, of which `resting` are taken anyway."""
    needed = forecast(costs, work, resting).peak
    if needed <= room:
        return None
    fitting = largest_that_fits(costs, work, room - resting)
    pixels = most_given_pixels(costs, work, room - resting)
    if pixels:
        advice = f"The pictures that are given are the larger part: scale them down to {pixels / 1e6:.0f} "
        advice += "megapixels in all."
        sentence = _sentence(work, needed, room, advice)
        return NotEnoughMemory("init_images", sentence, needed, room, fitting, pixels)
    return NotEnoughMemory(
        "width", _sentence(work, needed, room, _advice(work, fitting)), needed, room, fitting
    )


def _advice(work: Work, fitting: tuple[int, int] | None) -> str:
    if fitting is None:
        return "Not even the smallest of that shape fits: free memory, or choose a smaller checkpoint."
    fewer = " Fewer at once take less." if work.passes[0].pictures > 1 else ""
    return f"The largest of that shape that fits is {fitting[0]}x{fitting[1]}.{fewer}"


def _sentence(work: Work, needed: int, room: int, advice: str) -> str:
    first, last = work.passes[0], work.passes[-1]
    what = f"{first.pictures} pictures at once" if first.pictures > 1 else "A picture"
    then = f" and then {last.width}x{last.height}" if len(work.passes) > 1 else ""
    given = f" from {work.given_pixels / 1e6:.0f} megapixels" if work.given_pixels > 1e7 else ""
    needs = "need" if first.pictures > 1 else "needs"
    return (
        f"{what} of {first.width}x{first.height}{then}{given} {needs} about {_gibibytes(needed)} of memory, "
        f"and the program can have {_gibibytes(room)}. {advice} "
        'The setting "Refuse what does not fit into the memory" switches this forecast off.'
    )


def _gibibytes(size: int) -> str:
    return f"{size / GIBIBYTE:.1f} GiB"
