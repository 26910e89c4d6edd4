"""Taggers in ONNX.

How the picture goes in is read from the model: layout and side from the shape of its input, order and range
of the colours from its metadata where it has them, else from the kind of its list of tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modules.errors import EaselError
from modules.interrogation.pictures import as_array, squared
from modules.interrogation.tag_lists import TagList, find_tag_list, read_tag_list
from modules.interrogation.tags import named_probabilities

__all__ = ["OnnxInput", "OnnxTagger", "load_onnx_tagger", "read_input"]

COLOURS = 3
USUAL_SIDE = 448
LARGEST_SIDE = 4096
ORDER_KEY, RANGE_KEY = "Image.BitmapPixelFormat", "Image.NominalPixelRange"
"""Keys of ONNX's image metadata."""
RANGES = {
    "NominalRange_0_255": (255.0, 0.0),
    "Normalized_0_1": (1.0, 0.0),
    "Normalized_1_1": (2.0, -1.0),
}
"""Scale and offset of values from 0 to 1."""


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """How a picture becomes the model's input."""

    name: str
    side: int
    channels_first: bool
    blue_first: bool
    scale: float
    offset: float
    half: bool = False

    def array(self, image: Image.Image) -> NDArray[Any]:
        """(1, side, side, 3), or (1, 3, side, side), for an RGB picture."""
        values = as_array(squared(image, self.side)) * np.float32(self.scale) + np.float32(self.offset)
        if self.blue_first:
            values = values[:, :, ::-1]
        if self.channels_first:
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], dtype=np.float16 if self.half else np.float32)


@dataclass(frozen=True, slots=True)
class OnnxTagger:
    """A session of onnxruntime, its input, and the meaning of its answer."""

    name: str
    session: Any
    input: OnnxInput
    tags_in_order: tuple[str | None, ...]

    def tags(self, image: Image.Image) -> dict[str, float]:
        """The probability of each tag for an RGB picture.

        Raises EaselError when the list belongs to another model.
        """
        try:
            [answer, *_] = self.session.run(None, {self.input.name: self.input.array(image)})
        except Exception as error:  # onnxruntime has a class of its own for each failure
            raise EaselError(f"{self.name} failed in onnxruntime: {_first_line(error)}") from error
        return named_probabilities(self.name, self.tags_in_order, np.asarray(answer).reshape(-1))


def load_onnx_tagger(path: Path, *, on_gpu: bool) -> OnnxTagger:
    """The tagger in a file, with the list beside it.

    on_gpu: on the card, where onnxruntime has a build for it. Raises EaselError with the reason it cannot be
    loaded.
    """
    try:
        # Of its own package, which not every machine has a build of; the rest works without.
        import onnxruntime
    except ImportError as error:
        raise EaselError(
            f"{path.name} needs the package onnxruntime, which is not installed: "
            "run pip install onnxruntime in the program's venv."
        ) from error
    found = find_tag_list(path)
    if found is None:
        raise EaselError(f"{path} has no list of tags beside it; put selected_tags.csv or tags.txt there.")
    tags = read_tag_list(found)
    wanted = ["CUDAExecutionProvider"] if on_gpu else []
    there = set(onnxruntime.get_available_providers())
    providers = [name for name in (*wanted, "CPUExecutionProvider") if name in there]
    try:
        session = onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:
        raise EaselError(f"{path} cannot be loaded as an ONNX model: {_first_line(error)}") from error
    first = session.get_inputs()[0]
    metadata = session.get_modelmeta().custom_metadata_map
    return OnnxTagger(path.name, session, read_input(path, first, metadata, tags), tags.tags)


def read_input(path: Path, described: Any, metadata: Mapping[str, str], tags: TagList) -> OnnxInput:
    """How pictures go into the model's input `described` (name, shape, type).

    Raises EaselError for an input that is no picture.
    """
    channels_first, side = _layout(path, described.shape)
    of_wd_kind = tags.is_csv and not channels_first
    order = metadata.get(ORDER_KEY, "Bgr8" if of_wd_kind else "Rgb8")
    scale, offset = RANGES.get(metadata.get(RANGE_KEY, ""), (255.0 if of_wd_kind else 1.0, 0.0))
    return OnnxInput(
        name=described.name,
        side=side,
        channels_first=channels_first,
        blue_first=order.lower().startswith("bgr"),
        scale=scale,
        offset=offset,
        half=described.type == "tensor(float16)",
    )


def _layout(path: Path, shape: Sequence[int | str | None]) -> tuple[bool, int]:
    """Whether the channels stand before the sides, and the side in pixels; sides left open are the usual."""
    if len(shape) == 4 and COLOURS in (shape[1], shape[3]):
        channels_first = shape[3] != COLOURS
        sides = {each for each in (shape[2:] if channels_first else shape[1:3]) if isinstance(each, int)}
        if len(sides) <= 1 and all(0 < each <= LARGEST_SIDE for each in sides):
            return channels_first, next(iter(sides), USUAL_SIDE)
    raise EaselError(
        f"{path} takes an input of the shape {list(shape)}; a tagger takes a square picture with three "
        "colours. Put another model there."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
