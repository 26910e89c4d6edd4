"""A single-file checkpoint of SD 1.5's size with small random weights, for measuring speed and memory
without a download.
"""

import json
import struct
from pathlib import Path

import torch

__all__ = ["write_random_sd15"]


def write_random_sd15(path: Path) -> None:
    """Write float16 weights in the LDM layout, tensor by tensor, about 2 GB, with the standard deviation
    0.02.
    """
    from modules.checkpoints.layout import shapes_of_sd15

    shapes = shapes_of_sd15()
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 2 * int(torch.Size(shape).numel())
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    generator = torch.Generator().manual_seed(0)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            weights = torch.randn(shape, generator=generator).mul_(0.02).half()
            file.write(weights.numpy().tobytes())
