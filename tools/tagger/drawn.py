"""Pictures that the embedded checkpoint draws: what the tagger learns from, and what it is tried on."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modules.flags import parse_flags
from modules.generation import SilentWatcher, Txt2ImgRequest
from modules.house import House, make_house
from tools.embedded_model.concepts import CONCEPTS, STYLES

__all__ = ["HELD_OUT_SEED", "LEARNT_SEED", "drawn_pictures"]

log = logging.getLogger(__name__)

CHECKPOINT, SIDE, STEPS, GUIDANCE = "easel-emoji", 128, 12, 7.0
LEARNT_SEED, HELD_OUT_SEED = 1001, 1
"""The first seed of either part; no seed is in both."""


def drawn_pictures(work: Path, seed: int, count: int) -> NDArray[np.uint8]:
    """(concepts, styles, count, 128, 128, 3): every concept in every style with the seeds from `seed` on.

    What was drawn before is kept in `work`, by concept, so that a stopped run goes on.
    """
    folder = work / f"drawn-{seed}-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    house: House | None = None
    for number, concept in enumerate(CONCEPTS):
        file = folder / f"{concept.icon}.npz"
        if file.exists():
            continue
        house = house or make_house(parse_flags(["--data-dir", str(work / "user")], environment={}))
        prompts = [f"{concept.words[0]}, {style.word} style" for style in STYLES]
        np.savez_compressed(file, pictures=np.stack([_draw(house, each, seed, count) for each in prompts]))
        log.info("drew %s, %d of %d", concept.words[0], number + 1, len(CONCEPTS))
    return np.stack([_read(folder / f"{concept.icon}.npz") for concept in CONCEPTS])


def _read(file: Path) -> NDArray[np.uint8]:
    with np.load(file) as kept:
        return kept["pictures"]


def _draw(house: House, prompt: str, seed: int, count: int) -> NDArray[np.uint8]:
    """(count, 128, 128, 3): `prompt` with the seeds `seed`, `seed` + 1, ..."""
    request = Txt2ImgRequest(
        prompt=prompt, seed=seed, batch_size=count, steps=STEPS, cfg_scale=GUIDANCE, width=SIDE, height=SIDE,
        sampler_name="DPM++ 2M", scheduler="Karras", do_not_save_samples=True, do_not_save_grid=True,
        override_settings={"sd_model_checkpoint": CHECKPOINT},
    )  # fmt: skip
    options = house.store.options.overridden(request.override_settings)
    result = house.engine.make(house.engine.plan(request, options, house.styles), SilentWatcher())
    made = [picture.pixels() for picture in result.pictures if not picture.is_grid]
    return np.stack([np.asarray(image.convert("RGB")) for image in made])
