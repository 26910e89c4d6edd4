"""The buttons under a gallery, bound to a house."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from modules.door import HostAct, refuse_strangers
from modules.errors import EaselError
from modules.foreign_json import parse_json
from modules.generation import MadePicture, picture_bytes
from modules.house import House
from modules.jobs import Job
from modules.web.saving import PictureToSave, open_folder, save_pictures, zip_pictures
from modules.web.shown import gallery_of
from modules.web.texts import error_html, notice_html

__all__ = ["PictureActions"]


class PictureActions:
    """Save, zip and open folder. What cannot be done is said in the line under the gallery."""

    def __init__(self, house: House) -> None:
        self._house = house

    def save(self, index: int | None, info: str) -> Sequence[Any]:
        """Save the picture at `index` of the gallery, by setting all, into the folder of the Save button."""
        chosen = index if self._house.store.options.save_selected_only else None
        return self._answer(info, lambda job: save_pictures(self._contents(job, chosen), self._save_folder()))

    def save_zip(self, index: int | None, info: str) -> Sequence[Any]:
        """Zip all pictures into the folder of the Save button."""
        return self._answer(info, lambda job: [zip_pictures(self._contents(job, None), self._save_folder())])

    def open(self) -> str:
        """Open the folder of the newest pictures."""
        try:
            refuse_strangers(self._house.flags, HostAct.OPEN_FOLDER)
            open_folder(self._picture_folder())
        except (EaselError, OSError) as error:
            return error_html(str(error))
        return ""

    def _answer(self, info: str, action: Any) -> Sequence[Any]:
        try:
            saved: list[Path] = action(self._house.queue.get(_task_of(info)))
        except EaselError as error:
            return gr.skip(), error_html(str(error))
        files = gr.update(value=[str(path) for path in saved], visible=True)
        return files, notice_html(f"Saved: {', '.join(str(path) for path in saved)}")

    def _contents(self, job: Job, index: int | None) -> list[PictureToSave]:
        shown = gallery_of(self._house, job)
        chosen = shown if index is None else shown[index : index + 1]
        return [(each, picture, self._bytes(each, picture)) for each, picture in chosen]

    def _bytes(self, job: Job, picture: MadePicture) -> bytes:
        if picture.path and picture.path.exists():
            return picture.path.read_bytes()
        return picture_bytes(picture, job.run)

    def _save_folder(self) -> Path:
        return self._house.folders.place(self._house.store.options.outdir_save)

    def _picture_folder(self) -> Path:
        if self._house.store.options.open_dir_button_choice == "Output Root":
            return self._house.folders.outputs
        jobs = [job for job in self._house.queue.jobs() if job.pictures and job.pictures[-1].path]
        newest = jobs[-1].pictures[-1].path if jobs else None
        return newest.parent if newest else self._house.folders.outputs


def _task_of(info: str) -> str:
    """The job that the page says it shows. Raises JsonNotRead."""
    told = parse_json(info or "{}", "what the page shows")
    return str(told.get("task", "")) if isinstance(told, dict) else ""
