"""Hires fix: the sizes of the second pass and the way a first picture becomes its start."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.generation.txt2img_request import Txt2ImgRequest

__all__ = ["HiresSize", "cut_latent", "resize_latent", "size_of_second_pass"]

CELL = 8


@dataclass(frozen=True)
class HiresSize:
    """Pixels: the picture is enlarged to `scaled_*`, then cut evenly to `width` x `height`."""

    width: int
    height: int
    scaled_width: int
    scaled_height: int

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Height and width of the second pass in latent cells."""
        return self.height // CELL, self.width // CELL

    @property
    def scaled_latent_shape(self) -> tuple[int, int]:
        """Height and width before the cut, in latent cells."""
        return self.scaled_height // CELL, self.scaled_width // CELL


def size_of_second_pass(request: Txt2ImgRequest) -> HiresSize:
    """The second pass's size (BEHAVIOUR section 8): by factor, by one side in proportion, or covering both
    sides.
    """
    width, height, x, y = request.width, request.height, request.hr_resize_x, request.hr_resize_y
    if not x and not y:
        x, y = int(width * request.hr_scale), int(height * request.hr_scale)
        return HiresSize(x, y, x, y)
    if not x or not y:
        x, y = x or y * width // height, y or x * height // width
        return HiresSize(x, y, x, y)
    if width / height < x / y:
        return HiresSize(x, y, x, x * height // width)
    return HiresSize(x, y, y * width // height, y)


def resize_latent(latent: Tensor, size: HiresSize, mode: str, antialias: bool) -> Tensor:
    """`latent` (B, C, h, w) interpolated to the scaled size."""
    return torch.nn.functional.interpolate(
        latent, size=size.scaled_latent_shape, mode=mode, antialias=antialias
    )


def cut_latent(latent: Tensor, size: HiresSize) -> Tensor:
    """What lies over the target's size is cut, half on either side; of an odd cell the end loses more."""
    over_y = (size.scaled_height - size.height) // CELL
    over_x = (size.scaled_width - size.width) // CELL
    bottom = latent.shape[2] - (over_y + 1) // 2
    right = latent.shape[3] - (over_x + 1) // 2
    return latent[:, :, over_y // 2 : bottom, over_x // 2 : right]
