"""Drawings from the packages, as pictures on white."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from tools.embedded_model.concepts import Style

__all__ = ["IconSet", "draw_all", "fetch", "names_in_every"]

SIDE = 128
DRAWN_SIDE = 112

IconSet = dict[str, Any]


def fetch(style: Style, folder: Path) -> IconSet:
    """The icon set of `style`; its package is fetched into `folder` with npm, unless it is there already."""
    name = f"{style.package.removeprefix('@').replace('/', '-')}-{style.version}.tgz"
    package = folder / name
    if not package.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "pack", "--silent", f"{style.package}@{style.version}"], cwd=folder, check=True
        )
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/icons.json")
        assert member is not None, f"{name} holds no icons.json"
        return json.load(member)


def names_in_every(sets: Iterable[IconSet]) -> list[str]:
    """The icons that every set has, without skin tones and flags."""
    shared = sorted(set.intersection(*(set(icons["icons"]) for icons in sets)))
    return [name for name in shared if not any(word in name for word in ("skin", "tone", "flag"))]


def _svg(icons: IconSet, name: str) -> str:
    icon = icons["icons"][name]
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box}">{icon["body"]}</svg>'
    )


def draw(icons: IconSet, name: str) -> NDArray[np.uint8]:
    """One icon, (SIDE, SIDE, 3), centred on white."""
    drawn = resvg_py.svg_to_bytes(svg_string=_svg(icons, name), width=DRAWN_SIDE, height=DRAWN_SIDE)
    picture = Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")
    ground = Image.new("RGBA", (SIDE, SIDE), "white")
    ground.alpha_composite(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    return np.asarray(ground.convert("RGB"))


def draw_all(sets: Iterable[IconSet], names: Iterable[str]) -> NDArray[np.uint8]:
    """(names, sets, SIDE, SIDE, 3): every named icon in every set."""
    sets = list(sets)
    return np.stack([np.stack([draw(icons, name) for icons in sets]) for name in names])
