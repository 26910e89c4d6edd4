"""What the page's menus offer, read from the house."""

from dataclasses import dataclass

from modules.house import House
from modules.sampling import SAMPLERS, SCHEDULES
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS

__all__ = [
    "SAME_CHECKPOINT",
    "SAME_SAMPLER",
    "SAME_SCHEDULER",
    "Menus",
    "checkpoint_choices",
    "read_menus",
    "style_names",
]

SAME_CHECKPOINT = "Use same checkpoint"
SAME_SAMPLER = "Use same sampler"
SAME_SCHEDULER = "Use same scheduler"


@dataclass(frozen=True)
class Menus:
    """The choices of each menu, in the order of the menu."""

    samplers: tuple[str, ...]
    schedules: tuple[str, ...]
    upscalers: tuple[str, ...]
    checkpoints: tuple[tuple[str, str], ...]
    styles: tuple[str, ...]


def checkpoint_choices(house: House) -> list[tuple[str, str]]:
    """What the checkpoint menus show (by setting without the folder), and the title that it stands for."""
    is_short = house.store.options.sd_checkpoint_dropdown_use_short
    return [(file.short_title if is_short else file.title, file.title) for file in house.engine.shelf.list()]


def style_names(house: House) -> list[str]:
    """Names of the saved styles."""
    return [style.name for style in house.styles.list()]


def read_menus(house: House) -> Menus:
    """All menus as they are now."""
    hidden = set(house.store.options.hide_samplers)
    return Menus(
        samplers=tuple(each.name for each in SAMPLERS.values() if each.name not in hidden),
        schedules=tuple(each.name for each in SCHEDULES.values()),
        upscalers=(*LATENT_UPSCALERS, *UPSCALERS),
        checkpoints=tuple(checkpoint_choices(house)),
        styles=tuple(style_names(house)),
    )
