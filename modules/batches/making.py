"""From a picture of a batch to the order that redraws it."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules.batches.files import mask_of, text_beside, text_inside
from modules.batches.places import BatchPlaces
from modules.batches.plan import BatchPlan
from modules.batches.texts import values_with_text
from modules.errors import EaselError
from modules.generation import Img2ImgRequest, Order, parse_img2img
from modules.imaging import open_picture, read_picture_file, upright_size

__all__ = [
    "SMALLEST_PICTURE",
    "OrderOf",
    "drawn_seeds",
    "order_of_picture",
    "request_of_picture",
    "scaled_size",
]

OrderOf = Callable[[Img2ImgRequest], Order]
"""Makes the order of a request, with the settings as they are. Raises EaselError."""

CELL, SMALLEST_SIDE = 8, 64
SMALLEST_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
)
"""In base64: one white pixel."""


ALWAYS = {"samples_save": True, "save_incomplete_images": False}
"""Settings of every order: what is there is whole, so that a batch knows what is left."""


def drawn_seeds(plan: BatchPlan, order_of: OrderOf) -> dict[str, int]:
    """The seeds that all pictures of the batch begin with, drawn once where the plan leaves them open.

    Raises EaselError for a request that cannot be: whatever the pictures are, all would fail.
    """
    request = order_of(parse_img2img({**plan.request, "init_images": [SMALLEST_PICTURE]})).request
    return {"seed": request.seed, "subseed": request.subseed}


def order_of_picture(name: str, plan: BatchPlan, places: BatchPlaces, order_of: OrderOf) -> Order:
    """The order that redraws picture `name` and saves what comes out of it.

    Raises EaselError with what is wrong about the picture, or what belongs to it.
    """
    order = order_of(request_of_picture(name, plan, places))
    settings = order.settings | ALWAYS
    if places.output is not None:
        settings |= _naming(name, order, places.output)
    return order.model_copy(update={"settings": settings})


def request_of_picture(name: str, plan: BatchPlan, places: BatchPlaces) -> Img2ImgRequest:
    """The request for picture `name`. Raises EaselError as above."""
    path = places.pictures / name
    data, values = _read(path), {**plan.request, **plan.seeds}
    if plan.reads_pictures:
        values = values_with_text(values, text_inside((places.texts or places.pictures) / name), plan)
    if plan.reads_text_files:
        values = values_with_text(values, text_beside(path), plan)
    if plan.scale_by is not None:
        values["width"], values["height"] = scaled_size(data, plan.scale_by)
    if places.masks is not None:
        values["mask"] = base64.b64encode(_read(mask_of(name, places.masks))).decode()
    pictures = [base64.b64encode(data).decode()]
    return parse_img2img({**values, "init_images": pictures, "do_not_save_grid": True})


def _read(path: Path) -> bytes:
    """The file at `path`: its length and its head are looked at before it is read whole."""
    try:
        return read_picture_file(path)
    except OSError as error:
        raise EaselError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def scaled_size(data: bytes, factor: float) -> tuple[int, int]:
    """Width and height of a picture file by `factor`, in whole cells that are drawn.

    Raises InvalidRequest for what is no picture.
    """
    with open_picture("init_images", data) as picture:
        sides = upright_size(picture)
    width, height = (max(int(side * factor) // CELL * CELL, SMALLEST_SIDE) for side in sides)
    return width, height


def _naming(name: str, order: Order, folder: Path) -> dict[str, Any]:
    """Settings that let the results be called as their picture is, numbered where there are several."""
    # A tag cannot begin behind another one, so this keeps what looks like one as it is written.
    stem = Path(name).stem.replace("[", "[[none]")
    return {
        "outdir_samples": str(folder),
        "save_to_dirs": False,
        "save_images_add_number": False,
        "save_images_replace_action": "Add number suffix",
        "samples_filename_pattern": f"{stem}-[generation_number]" if order.pictures > 1 else stem,
    }
