"""A VAE in strips: pictures too large to be coded at once are coded a few rows at a time.

Three things in a VAE see more than a few rows. The attention in its middle sees all cells: the middle is
computed whole, at the size of the latent, where that is cheap. Its group norms average over the picture: what
they average is gathered strip by strip, in a sweep for each norm, before any result is made. Convolutions
see the neighbouring rows: each strip is computed with a margin that is cut off. So the result is that of the
whole picture within rounding, without seams, whatever the strips are; the price is that rows are computed
several times, the more often the less may be held.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import Tensor, nn

__all__ = ["bytes_in_strips", "decode_in_strips", "encode_in_strips"]

LIVE = 4
"""Tensors of the widest kind that live at a time in the whole, with one that a convolution puts in order."""
STRIP_LIVE = 6
"""The same of a strip, with what is copied to have its averages taken, and what it was cut from."""
SIDE = 2048
"""Pixels along a side of the picture for which bytes are counted."""
FEWEST = 16
"""Strips, so that what a segment was made of can be let go in small parts while its result grows."""
HELD = 2 / 3
"""The part of the allowance for what is held whole between segments; the rest is for a strip at work."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A part of the VAE through which a strip goes.

    `reach`: rows above and below that a row sees, `up` and `down`: its factor; `channels`: of its result.
    """

    run: Callable[[Tensor], Tensor]
    norms: tuple[nn.GroupNorm, ...]
    reach: int
    channels: int
    up: int = 1
    down: int = 1


@dataclass(frozen=True)
class _Segment:
    """Steps between two tensors that are held whole."""

    steps: tuple[_Step, ...]

    @cached_property
    def up(self) -> int:
        return math.prod(step.up for step in self.steps)

    @cached_property
    def down(self) -> int:
        return math.prod(step.down for step in self.steps)

    @cached_property
    def norms(self) -> tuple[nn.GroupNorm, ...]:
        return tuple(norm for step in self.steps for norm in step.norms)

    @cached_property
    def margin(self) -> int:
        """Rows of its input, on either side of a strip, on which the strip's own rows depend."""
        rows = 0
        for step in reversed(self.steps):
            rows = -(-rows // step.up) * step.down + step.reach
        return -(-rows // self.down) * self.down

    def __call__(self, rows: Tensor) -> Tensor:
        for step in self.steps:
            rows = step.run(rows)
        return rows

    def shape_of_result(self, sheet: _Sheet) -> _Sheet:
        """What it makes of `sheet`, without memory."""
        height, width = (side * self.up // self.down for side in (sheet.height, sheet.width))
        made = torch.empty(1, self.steps[-1].channels, height, width, dtype=sheet.dtype, device="meta")
        return _Sheet([made], wraps=sheet.wraps)


class _Sheet:
    """A tensor (1, C, H, W) in pieces of rows, which can be let go from the top.

    wraps: the row above the first is the last.
    """

    def __init__(self, pieces: Sequence[Tensor], *, wraps: bool) -> None:
        self.wraps = wraps
        self._pieces: list[Tensor | None] = list(pieces)
        self._starts = [0]
        for piece in pieces:
            self._starts.append(self._starts[-1] + piece.shape[2])
        self.channels, self.width = pieces[0].shape[1], pieces[0].shape[3]
        self.dtype = pieces[0].dtype

    @property
    def height(self) -> int:
        return self._starts[-1]

    @property
    def nbytes(self) -> int:
        return self.channels * self.height * self.width * self.dtype.itemsize

    def rows(self, first: int, last: int) -> Tensor:
        """Rows `first` to `last` (excluded); those outside come from the other side, or are left out."""
        parts = []
        for turn in (-self.height, 0, self.height) if self.wraps else (0,):
            for piece, (start, end) in zip(self._pieces, pairwise(self._starts), strict=True):
                a, b = max(first, start + turn), min(last, end + turn)
                if a < b and piece is not None:
                    parts.append(piece[:, :, a - start - turn : b - start - turn])
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)

    def let_go(self, before: int) -> None:
        """Rows above `before` are not asked for again."""
        if self.wraps:
            return
        for number, end in enumerate(self._starts[1:]):
            if end <= before:
                self._pieces[number] = None

    def whole(self) -> Tensor:
        return self.rows(0, self.height)


class _Reached(Exception):
    """A strip has come to a norm whose averages are not known yet."""

    def __init__(self, seen: Tensor) -> None:
        super().__init__()
        self.seen = seen


class _SharedNorm(nn.GroupNorm):
    """A group norm by averages that are given: mean and variance (C,) in float32."""

    averages: tuple[Tensor, Tensor] | None

    def forward(self, input: Tensor) -> Tensor:
        if self.averages is None:
            raise _Reached(input)
        given = [part if part is None else part.float() for part in (self.weight, self.bias)]
        # By given averages, that is what a group norm comes to.
        wide = input if input.is_cuda else input.float()
        return nn.functional.batch_norm(wide, *self.averages, *given, eps=self.eps).to(input.dtype)


@contextmanager
def _shared(norms: Sequence[nn.GroupNorm]) -> Iterator[list[_SharedNorm]]:
    """While it lasts, `norms` wait for their averages."""
    shared = []
    for norm in norms:
        norm.__class__ = _SharedNorm
        assert isinstance(norm, _SharedNorm)
        norm.averages = None
        shared.append(norm)
    try:
        yield shared
    finally:
        for norm in norms:
            norm.__class__ = nn.GroupNorm
            del norm.averages


def decode_in_strips(vae: AutoencoderKL, latent: Tensor, share: int) -> Tensor:
    """The pixels (1, 3, 8h, 8w) of a scaled `latent` (1, C, h, w), in the type of `vae`, with one `share`th
    of the memory that the whole would take, or as little as its middle does.
    """
    decoder = vae.decoder
    rows = latent if vae.post_quant_conv is None else vae.post_quant_conv(latent)
    middle = decoder.mid_block(decoder.conv_in(rows))
    wraps = decoder.conv_in.padding_mode == "circular"
    return _through(_decoding(decoder), _Sheet([middle], wraps=wraps), share)


def encode_in_strips(vae: AutoencoderKL, pixels: Tensor, share: int) -> Tensor:
    """The moments (1, 2C, h, w) of the posterior of `pixels` (1, 3, 8h, 8w) in -1 .. 1; `share`: see above.
    The convolutions must not wrap around.
    """
    encoder = vae.encoder
    rows = _through(_encoding(encoder), _Sheet([pixels], wraps=False), share)
    rows = encoder.conv_act(encoder.conv_norm_out(encoder.mid_block(rows)))
    moments = encoder.conv_out(rows)
    return moments if vae.quant_conv is None else vae.quant_conv(moments)


def bytes_in_strips(vae: AutoencoderKL, share: int) -> tuple[float, float]:
    """Of a pixel of a large picture that is decoded and that is encoded in strips, but for the middle."""
    cells = SIDE // 2 ** (len(vae.config.block_out_channels) - 1)
    middle = torch.empty(1, vae.config.block_out_channels[-1], cells, cells, device="meta", dtype=vae.dtype)
    pixels = torch.empty(1, 3, SIDE, SIDE, device="meta", dtype=vae.dtype)
    ways = (_decoding(vae.decoder), middle), (_encoding(vae.encoder), pixels)
    decode, encode = (_most_bytes(steps, _Sheet([given], wraps=False), share) for steps, given in ways)
    return decode / SIDE**2, encode / SIDE**2


def _decoding(decoder: Decoder) -> list[_Step]:
    """Behind the middle."""
    steps = []
    for block in decoder.up_blocks:
        steps += [_of_resnet(each) for each in block.resnets]
        steps += [_Step(each, (), 1, each.out_channels, up=2) for each in block.upsamplers or ()]
    last = nn.Sequential(decoder.conv_norm_out, decoder.conv_act, decoder.conv_out)
    return [*steps, _Step(last, (decoder.conv_norm_out,), 1, decoder.conv_out.out_channels)]


def _encoding(encoder: Encoder) -> list[_Step]:
    """Before the middle."""
    steps = [_Step(encoder.conv_in, (), 1, encoder.conv_in.out_channels)]
    for block in encoder.down_blocks:
        steps += [_of_resnet(each) for each in block.resnets]
        steps += [_Step(each, (), 2, each.out_channels, down=2) for each in block.downsamplers or ()]
    return steps


def _of_resnet(block: nn.Module) -> _Step:
    return _Step(lambda rows: block(rows, None), (block.norm1, block.norm2), 2, block.out_channels)


def _through(steps: Sequence[_Step], sheet: _Sheet, share: int) -> Tensor:
    """What `steps` make of `sheet`."""
    allowance = _allowance(steps, sheet, share)
    for segment in _segments(steps, sheet, allowance * HELD):
        sheet = _result(segment, sheet, allowance * (1 - HELD))
    return sheet.whole()


def _most_bytes(steps: Sequence[_Step], sheet: _Sheet, share: int) -> float:
    """What `_through` takes, with `sheet`."""
    allowance, most = _allowance(steps, sheet, share), 0.0
    for segment in _segments(steps, sheet, allowance * HELD):
        sizes = _row_bytes(segment.steps, sheet)
        first, last = _strips(segment, sheet, allowance * (1 - HELD))[0]
        strip = (last - first + 2 * segment.margin) * max(sizes) * STRIP_LIVE
        given, made = sheet.nbytes, sizes[-1] * sheet.height
        most = max(most, max(given, made) + (last - first) / sheet.height * given + strip)
        sheet = segment.shape_of_result(sheet)
    return most


def _allowance(steps: Sequence[_Step], sheet: _Sheet, share: int) -> float:
    """Bytes: a `share`th of what the whole would take."""
    return max(_row_bytes(steps, sheet)) * sheet.height * LIVE / share


def _row_bytes(steps: Sequence[_Step], sheet: _Sheet) -> list[float]:
    """Of what each of `steps` makes of one row of `sheet`."""
    sizes, scale = [], 1.0
    for step in steps:
        scale *= step.up / step.down
        sizes.append(step.channels * scale * scale * sheet.width * sheet.dtype.itemsize)
    return sizes


def _segments(steps: Sequence[_Step], sheet: _Sheet, held: float) -> Iterator[_Segment]:
    """`steps` cut wherever what is there takes no more than `held` bytes."""
    begun: list[_Step] = []
    for step, row in zip(steps, _row_bytes(steps, sheet), strict=True):
        begun.append(step)
        if row * sheet.height <= held or step is steps[-1]:
            yield _Segment(tuple(begun))
            begun = []


def _strips(segment: _Segment, sheet: _Sheet, allowance: float) -> list[tuple[int, int]]:
    """Rows of `sheet` from and to which strips go, so that one takes `allowance` bytes with its margins; none
    smaller than a margin, or most of the work would be for what is cut off.
    """
    row = max(_row_bytes(segment.steps, sheet)) * STRIP_LIVE
    unit = segment.down
    fitting = int(allowance / row) - 2 * segment.margin
    rows = max(min(fitting, sheet.height // FEWEST) // unit * unit, segment.margin, unit)
    return [(first, min(first + rows, sheet.height)) for first in range(0, sheet.height, rows)]


def _result(segment: _Segment, sheet: _Sheet, allowance: float) -> _Sheet:
    """What `segment` makes of `sheet`, which is used up."""
    strips = _strips(segment, sheet, allowance)
    with _shared(segment.norms) as norms:
        for norm in norms:
            norm.averages = _averages(norm, segment, sheet, strips)
        pieces = []
        for first, last in strips:
            sheet.let_go(first - segment.margin)
            made = segment(_with_margin(segment, sheet, first, last))
            pieces.append(_own_rows(made, segment, sheet, first, last).clone())
    return _Sheet(pieces, wraps=sheet.wraps)


def _with_margin(segment: _Segment, sheet: _Sheet, first: int, last: int) -> Tensor:
    return sheet.rows(first - segment.margin, last + segment.margin)


def _own_rows(made: Tensor, segment: _Segment, sheet: _Sheet, first: int, last: int) -> Tensor:
    """Of what was `made` of a strip with its margins, the rows that belong to the strip."""
    top = first - segment.margin if sheet.wraps else max(first - segment.margin, 0)
    end = last + segment.margin if sheet.wraps else min(last + segment.margin, sheet.height)
    rows = made.shape[2]
    return made[:, :, (first - top) * rows // (end - top) : (last - top) * rows // (end - top)]


def _averages(
    norm: nn.GroupNorm, segment: _Segment, sheet: _Sheet, strips: Sequence[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Mean and variance of what comes to `norm`, all strips together, for each channel."""
    count, total, squares = 0, torch.zeros(0), torch.zeros(0)
    for first, last in strips:
        seen = _seen_by_next_norm(segment, _with_margin(segment, sheet, first, last))
        own = _own_rows(seen, segment, sheet, first, last)
        grouped = own.float().reshape(norm.num_groups, -1)
        variance, mean = (each.double() for each in torch.var_mean(grouped, dim=1, correction=0))
        number = grouped.shape[1]
        total = number * mean + (total if count else 0)
        squares = number * (variance + mean * mean) + (squares if count else 0)
        count += number
    mean = total / count
    variance = (squares / count - mean * mean).clamp(min=0)
    channels = norm.num_channels // norm.num_groups
    return tuple(each.float().repeat_interleave(channels) for each in (mean, variance))


def _seen_by_next_norm(segment: _Segment, rows: Tensor) -> Tensor:
    try:
        segment(rows)
    except _Reached as reached:
        return reached.seen
    raise AssertionError("every norm of a segment is reached")
