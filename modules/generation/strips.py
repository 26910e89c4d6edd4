"""Whether the VAE works in strips: plain data that orders and records carry, and a scope that it holds in."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["NOT_IN_STRIPS", "SHARES", "VaeStrips", "share_of_decoding", "share_of_encoding", "strips_scope"]

SHARES = (2, 4, 10)
"""The parts of the memory of the whole that strips may do with: each smaller one takes longer."""
NOT_IN_STRIPS = 1 << 62
"""More pixels than any picture has."""


class VaeStrips(BaseModel):
    """Pictures of more than `decoding` pixels are decoded in strips, those of more than `encoding` encoded
    so, with one `share`th of the memory that the whole would take.
    """

    model_config = ConfigDict(frozen=True)

    share: int = Field(ge=2, le=100)
    decoding: int = Field(ge=0)
    encoding: int = Field(ge=0)

    def concern(self, pixels: int) -> bool:
        """Whether anything of a picture of `pixels` is in strips."""
        return pixels > min(self.decoding, self.encoding)


_strips: ContextVar[VaeStrips | None] = ContextVar("strips", default=None)


@contextmanager
def strips_scope(strips: VaeStrips | None) -> Iterator[None]:
    """While it lasts, this thread codes as `strips` say; None: every picture whole."""
    before = _strips.set(strips)
    try:
        yield
    finally:
        _strips.reset(before)


def share_of_decoding(pixels: int) -> int | None:
    """With which share of the memory a picture of `pixels` is decoded now; None: whole."""
    strips = _strips.get()
    return strips.share if strips and pixels > strips.decoding else None


def share_of_encoding(pixels: int) -> int | None:
    """With which share of the memory a picture of `pixels` is encoded now; None: whole."""
    strips = _strips.get()
    return strips.share if strips and pixels > strips.encoding else None
