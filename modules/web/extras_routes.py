"""Routes of the Extras tab: a picture is enlarged and saved; the folder where it went is opened."""

import base64
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from fastapi import APIRouter
from PIL import Image
from pydantic import Field

from modules.door import HostAct, Router, refuse_strangers
from modules.errors import EaselError
from modules.filenames import NameRules
from modules.house import House
from modules.imaging import (
    PictureFacts,
    SaveFormat,
    SaveOptions,
    SavePlace,
    decode_picture,
    decoded,
    encode_picture,
    read_texts,
    save_picture,
    upright,
)
from modules.settings import Options
from modules.upscaling import ExtrasRequest, enlarge_picture, refuse_too_much
from modules.web.saving import open_folder
from modules.web.texts import infotext_html

__all__ = ["extras_routes"]

MEDIA_TYPES = {"jpg": "image/jpeg"}


class ExtrasPicture(ExtrasRequest):
    """A picture in base64 and what is to be done to it; `of` how many alike it is one."""

    picture: str
    name: str = Field("", max_length=1000)
    of: int = Field(1, ge=1)


def extras_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/internal/web/extras", include_in_schema=False)

    @router.post("")
    @house.enlarging.route
    def enlarge(call: ExtrasPicture) -> dict[str, Any]:
        """Enlarge a picture and save it: the file as a data URL, its name, its texts, where it was saved."""
        options = house.store.options
        return _enlarged(call, options, _folder(house, options), house.folders.names)

    @router.post("/open-folder")
    def show_folder() -> dict[str, str]:
        """Open the folder of enlarged pictures, where browser and folder are on the same machine."""
        refuse_strangers(house.flags, HostAct.OPEN_FOLDER)
        folder = _folder(house, house.store.options)
        try:
            open_folder(folder)
        except OSError as error:
            raise EaselError(f"The folder {folder} cannot be opened: {error.strerror or error}.") from error
        return {"folder": str(folder)}

    return router


def _folder(house: House, options: Options) -> Path:
    return house.folders.place(options.outdir_samples or options.outdir_extras_samples)


def _enlarged(call: ExtrasPicture, options: Options, folder: Path, names: NameRules) -> dict[str, Any]:
    extras = call.extras()
    refuse_too_much([decode_picture("The file", call.picture).size], extras)
    with decoded([("The file", call.picture)]) as [sent]:
        infotext = read_texts(sent).infotext
        larger, fields = enlarge_picture(upright(sent), extras)
    told = ", ".join(f"{key}: {value}" for key, value in fields.items())
    encoded = encode_picture(larger, infotext, SaveFormat.from_options(options), postprocessing=told)
    media_type = MEDIA_TYPES.get(encoded.format, f"image/{encoded.format}")
    return {
        "picture": f"data:{media_type};base64,{base64.b64encode(encoded.data).decode('ascii')}",
        "extension": str(encoded.format),
        "size": larger.size,
        "infotext": infotext,
        "html": infotext_html(infotext),
        "told": told or "No upscaler is chosen, so the picture is as it was",
        **_saved(larger, infotext, told, folder, _save_options(call, options, names)),
    }


def _saved(
    image: Image.Image, infotext: str, told: str, folder: Path, how: SaveOptions
) -> dict[str, str | None]:
    """Where the picture was saved, or why it was not: it is there, so it is shown all the same."""
    try:
        saved = save_picture(image, SavePlace(folder, PictureFacts()), infotext, how, postprocessing=told)
    except EaselError as error:
        return {"saved": None, "unsaved": str(error)}
    return {"saved": str(saved.path), "unsaved": None}


def _save_options(call: ExtrasPicture, options: Options, names: NameRules) -> SaveOptions:
    """Numbered names with nothing else in them; one of several keeps its own name, by setting."""
    common = replace(
        SaveOptions.from_options(options, names=names), folder_pattern="", name_pattern="", add_number=True
    )
    if call.of == 1 or not options.use_original_name_batch:
        return common
    # Both kinds of slashes part folders; what brackets hold would be read as a tag.
    stem = PureWindowsPath(call.name).stem.replace("[", "(").replace("]", ")")
    return replace(common, name_pattern=stem, add_number=False, replaces=False)
