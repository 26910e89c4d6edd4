"""What the buttons under the gallery do: save a picture once more, zip pictures, open their folder."""

import csv
import io
import itertools
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from modules.errors import EaselError
from modules.generation import MadePicture
from modules.imaging import publish, temporary_file
from modules.jobs import Job

__all__ = ["PictureToSave", "open_folder", "save_pictures", "zip_pictures"]

LOG_COLUMNS = (
    "prompt",
    "seed",
    "width",
    "height",
    "sampler",
    "cfgs",
    "steps",
    "filename",
    "negative_prompt",
    "sd_model_name",
    "sd_model_hash",
)


PictureToSave = tuple[Job, MadePicture, bytes]
"""The job that drew it, the picture, and the contents of its file."""


def save_pictures(pictures: Sequence[PictureToSave], folder: Path) -> list[Path]:
    """Write `pictures` into `folder`, a line for each in its log.csv; the files written.

    Raises EaselError when the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        saved = []
        for job, picture, data in pictures:
            saved.append(_write_new(folder, _name(job, picture), data))
            _append_log(folder / "log.csv", job, saved[-1:])
    except OSError as error:
        raise EaselError(f"The pictures cannot be saved in {folder}: {error.strerror or error}.") from error
    return saved


def zip_pictures(pictures: Sequence[PictureToSave], folder: Path) -> Path:
    """All `pictures` in one new zip file in `folder`.

    Raises EaselError when the folder cannot be written to, and when there are no pictures.
    """
    if not pictures:
        raise EaselError("There is no picture to put into a zip file.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, (job, picture, data) in enumerate(pictures):
            archive.writestr(f"{number:02}-{_name(job, picture)}", data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        first = pictures[0][0].run.seeds.seeds[0]
        return _write_new(folder, f"{stamp}-{first}.zip", buffer.getvalue())
    except OSError as error:
        raise EaselError(f"The zip file cannot be saved in {folder}: {error.strerror or error}.") from error


def open_folder(folder: Path) -> None:
    """Show `folder` in the file manager of this machine. Raises EaselError when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        os.startfile(folder)
        return
    try:
        subprocess.Popen(["open" if sys.platform == "darwin" else "xdg-open", str(folder)])
    except OSError as error:
        raise EaselError(f"No file manager could be started here; the folder is {folder}.") from error


def _name(job: Job, picture: MadePicture) -> str:
    if picture.path:
        return picture.path.name
    kind = "grid" if picture.is_grid else "picture"
    return f"{kind}-{picture.seed}.{job.run.options.samples_format}"


def _write_new(folder: Path, name: str, data: bytes) -> Path:
    """Write under `name`, or `name-1` and so on where that exists; a crash leaves no half file under the
    name.
    """
    stem, suffix = Path(name).stem, Path(name).suffix
    with temporary_file(folder, data) as finished:
        for number in itertools.count():
            target = folder / (f"{stem}-{number}{suffix}" if number else name)
            if publish(finished, target):
                break
    return target


def _append_log(log: Path, job: Job, saved: Sequence[Path]) -> None:
    is_new = not log.exists()
    run, result = job.run, job.result
    with log.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(LOG_COLUMNS)
        for path in saved:
            writer.writerow(
                [
                    run.prompt,
                    run.seeds.seeds[0],
                    run.request.width,
                    run.request.height,
                    run.sampler.name,
                    run.request.cfg_scale,
                    run.request.steps,
                    path.name,
                    run.negative_prompt,
                    result.model_name if result else "",
                    result.model_hash if result else "",
                ]
            )
