"""The memory that a request will take, told before it is drawn.

A pass over latents or pixels takes memory in proportion to their number, whatever the model. How much for
each is found by rehearsing the model once (`rehearsal.py`); the few constants besides were measured
(`benchmarks/memory.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modules.errors import InvalidRequest
from modules.memory.kinds import AttentionKind
from modules.memory.modes import MemoryMode
from modules.memory.slices import bytes_of_slices

__all__ = [
    "Forecast",
    "ModelCosts",
    "NotEnoughMemory",
    "PartWeights",
    "Pass",
    "Work",
    "forecast",
    "largest_that_fits",
    "most_given_pixels",
]

CELL = 8
"""Pixels along a side of a latent's cell."""
SMALLEST_SIDE = 64
LATENT_COPIES = 12
"""Latents of a picture that a sampler holds: x, noise, estimates of earlier steps, and those in between."""
LATENT_BYTES = 16
"""Of a cell: four channels of float32."""
MADE_BYTES = 24
"""Of a pixel that is decoded, cut to 8 bits and encoded into a file."""
KEPT_BYTES = 3
"""Of a pixel of a picture that waits for the others."""
PIXEL_BYTES = 12
"""Of a pixel in float32."""
STRIP_ROWS = 72
"""Of pixels, in the smallest strip with its margins."""
HOLES_SHARE = 1.8
MANY_HOLES, FURTHER_HOLES_SHARE = 100 << 20, 0.3
"""Of the heap, beside tensors in it: glibc gives back at once only what is larger than 32 MiB alone. They
grow with the tensors, and slower where there are many.
"""
GIVEN_BYTES, MASKED_BYTES = 16, 10
"""Of a pixel of the pictures that are given, while they are read, turned and brought to size, before anything
is drawn; of both where one of two is a mask, which has fewer channels.
"""
OVERLAY_BYTES = 4
"""The same, of what is kept of them while the masked part alone is drawn at another size."""
LAID_BYTES, LAID_EACH_BYTES = 20, 12
"""Of a pixel of the whole picture, while such parts are laid over it; and beside that for each of a batch."""


@dataclass(frozen=True, slots=True)
class PartWeights:
    """Bytes of weights beside those that are on the device all the time: while texts are read, the network
    computes, the VAE computes. `blocks`: the network's, where it goes block by block.
    """

    texts: int = 0
    network: int = 0
    vae: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """Bytes that a checkpoint takes in memory, and that its parts take while they work.

    `step`: of a cell of the latent, for each row of the network's batch; `matrix`: of the square of the
    cells, for attention by the plain formula; `decode`, `encode`: of a pixel.
    """

    weights: int
    step: float
    matrix: float
    decode: float
    encode: float
    middle: float = 0.0
    """Of a pixel, in the middle of the VAE, which is computed whole even where the rest goes in strips."""
    in_strips: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Of a pixel that is decoded and encoded in strips, by their share of the whole's memory (a divisor)."""
    on_heap: bool = False
    """Whether tensors lie on the C library's heap, which keeps holes between those of middling size."""
    parts: PartWeights = PartWeights()
    """What the weights are made of."""
    coming: PartWeights = PartWeights()
    """Those that are on the device only while they are at work; `weights` are the others."""

    def in_mode(self, mode: MemoryMode) -> ModelCosts:
        """The costs, on a device with memory of its own, of a model that is drawn with in `mode`."""
        if mode is MemoryMode.NORMAL:
            return self
        network = self.parts.blocks if mode is MemoryMode.LOWVRAM else self.parts.network
        return replace(self, weights=0, coming=replace(self.parts, network=network), on_heap=False)


@dataclass(frozen=True, slots=True)
class Pass:
    """Drawing `pictures` together at a size in pixels; `rows`: of the network's batch; `encodes`: it starts
    from pictures; `decode_share`, `encode_share`: which part of the whole's memory the VAE may take, where it
    works in strips (as divisors).
    """

    width: int
    height: int
    pictures: int
    rows: int
    encodes: bool = False
    decode_share: int | None = None
    encode_share: int | None = None

    @property
    def cells(self) -> int:
        """Of one latent."""
        return (self.width // CELL) * (self.height // CELL)

    @property
    def pixels(self) -> int:
        """Of one picture."""
        return self.width * self.height

    def with_width(self, width: int, of: int) -> Pass:
        """This, smaller by `width` / `of`, in whole cells."""
        sides = (max(side * width // of // CELL * CELL, SMALLEST_SIDE) for side in (self.width, self.height))
        return replace(self, width=next(sides), height=next(sides))


@dataclass(frozen=True, slots=True)
class Work:
    """What a request asks of the memory: its passes, the pixels of the pictures that are given, and how many
    `results` are kept while others are made. `masked`: a mask is given; `only_masked`: what it masks is
    drawn at a size of its own and laid over the whole picture.
    """

    passes: Sequence[Pass]
    attention: AttentionKind = AttentionKind.AUTOMATIC
    given_pixels: int = 0
    masked: bool = False
    only_masked: bool = False
    results: int = 0

    @property
    def result_pixels(self) -> float:
        """Of one result. A whole picture is half of what is given, for its mask is as large."""
        return self.given_pixels / 2 if self.only_masked else max(each.pixels for each in self.passes)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Bytes: what the process holds anyway, the weights that are there all the time, and the most besides at
    any moment.
    """

    resting: int
    weights: int
    working: int

    @property
    def peak(self) -> int:
        """The most that will be in memory at a time."""
        return self.resting + self.weights + self.working


class NotEnoughMemory(InvalidRequest):
    """A request that cannot fit. `needed` and `available` are bytes; `fitting`: the largest width and height
    of its shape that fit, None where not even the smallest do; `given_pixels`: the most that the pictures it
    starts from may have in all, None where they are not the larger part.
    """

    def __init__(
        self,
        field: str,
        sentence: str,
        needed: int,
        available: int,
        fitting: tuple[int, int] | None,
        given_pixels: int | None = None,
    ) -> None:
        super().__init__(field, sentence)
        self.needed, self.available, self.fitting = needed, available, fitting
        self.given_pixels = given_pixels


def forecast(costs: ModelCosts, work: Work, resting: int = 0, free: int = 0) -> Forecast:
    """The peak of a process that holds `resting` bytes without the model and does `work` with it.

    free: bytes that attention in slices may have, if it is not to take the least that it can do with.
    """
    drawing = max(_pass_bytes(costs, each, work.attention, free) for each in work.passes)
    drawing += KEPT_BYTES * work.results * work.result_pixels
    # A matrix of attention is as a rule too large for the heap.
    tensors = max(_pass_bytes(costs, each, AttentionKind.AUTOMATIC, free) for each in work.passes)
    holes = min(HOLES_SHARE * tensors, MANY_HOLES + FURTHER_HOLES_SHARE * tensors)
    drawing += holes if costs.on_heap else 0
    drawing += OVERLAY_BYTES * work.given_pixels if work.only_masked else 0
    working = max(drawing, work.given_pixels * _given_bytes(work), _laying_bytes(work))
    return Forecast(resting, costs.weights, round(working))


def _given_bytes(work: Work) -> int:
    return MASKED_BYTES if work.masked and not work.only_masked else GIVEN_BYTES


def _laying_bytes(work: Work) -> float:
    """While what was drawn is laid over the whole picture."""
    if not work.only_masked:
        return 0
    together = max(each.pictures for each in work.passes)
    return (LAID_BYTES + LAID_EACH_BYTES * together) * work.result_pixels


def _pass_bytes(costs: ModelCosts, part: Pass, attention: AttentionKind, free: int) -> float:
    latents = part.pictures * part.cells * LATENT_COPIES * LATENT_BYTES
    coming = costs.coming
    return latents + max(
        coming.texts,
        coming.vae + _encode_bytes(costs, part) if part.encodes else 0,
        coming.network + costs.step * part.cells * part.rows + _matrix_bytes(costs, part, attention, free),
        coming.vae + _decode_bytes(costs, part) + MADE_BYTES * part.pixels,
    )


def _decode_bytes(costs: ModelCosts, part: Pass) -> float:
    if part.decode_share is None:
        return costs.decode * part.pixels
    return _strip_bytes(costs, part, costs.in_strips[part.decode_share][0], costs.decode)


def _encode_bytes(costs: ModelCosts, part: Pass) -> float:
    """All pictures of the pass together, or one after the other in strips."""
    if part.encode_share is None:
        return costs.encode * part.pixels * part.pictures
    given = part.pictures * part.pixels * PIXEL_BYTES
    return given + _strip_bytes(costs, part, costs.in_strips[part.encode_share][1], costs.encode)


def _strip_bytes(costs: ModelCosts, part: Pass, each: float, whole: float) -> float:
    """`each`: bytes of a pixel in strips, `whole`: without; small pictures have no strips that small."""
    smallest = min(whole * STRIP_ROWS * part.width, whole * part.pixels)
    return max(costs.middle * part.pixels, each * part.pixels, smallest)


def _matrix_bytes(costs: ModelCosts, part: Pass, attention: AttentionKind, free: int) -> float:
    """Of the attention matrix, for the kinds that make one: of as much of it as they make at a time."""
    whole = costs.matrix * part.cells**2 * part.rows
    return bytes_of_slices(attention, whole, part.cells, part.rows, free)


def largest_that_fits(costs: ModelCosts, work: Work, room: int) -> tuple[int, int] | None:
    """The largest size of the first pass, in the shape that it has, with which weights and `work` take `room`
    bytes at most; None where none does.
    """
    width = work.passes[0].width

    def scaled(cells: int) -> Work:
        return replace(work, passes=tuple(each.with_width(cells * CELL, width) for each in work.passes))

    cells = _most(
        SMALLEST_SIDE // CELL, width // CELL, lambda side: forecast(costs, scaled(side)).peak <= room
    )
    if cells is None:
        return None
    first = scaled(cells).passes[0]
    return first.width, first.height


def most_given_pixels(costs: ModelCosts, work: Work, room: int) -> int:
    """The most pixels of given pictures with which weights and `work` take `room` bytes at most; 0 where
    the rest alone takes more.
    """

    def fits(pixels: int) -> bool:
        return forecast(costs, replace(work, given_pixels=pixels)).peak <= room

    return _most(0, work.given_pixels, fits) or 0


def _most(least: int, largest: int, fits: Callable[[int], bool]) -> int | None:
    """The largest number from `least` to `largest` that `fits`, where all smaller ones do; None where not
    even `least` does.
    """
    if not fits(least):
        return None
    found, too_many = least, largest + 1
    while too_many - found > 1:
        middle = (found + too_many) // 2
        if fits(middle):
            found = middle
        else:
            too_many = middle
    return found
