"""`generate`: pictures without a server."""

import base64
import signal
import sys
from pathlib import Path
from typing import Any

from modules.atomic import replace_file
from modules.batches import BatchPlan, scaled_size
from modules.cli.command import STOPPED, Drawing
from modules.cli.draw_batch import draw_batch
from modules.cli.redrawing import Redrawing
from modules.cli.terminal import TerminalWatcher
from modules.errors import EaselError
from modules.flags import Flags
from modules.generation import MadePicture, PictureKinds, parse_img2img, parse_txt2img
from modules.house import House, make_house
from modules.imaging import PictureFormat, SaveFormat, encode_picture
from modules.sampling import SAMPLERS
from modules.settings import Options

__all__ = ["draw"]

UNSAVED = 1
"""Exit status when a picture could not be saved; the watcher has said why."""


def draw(flags: Flags, drawing: Drawing) -> int:
    """Make the pictures of `drawing` and name their files on standard output; the exit status.

    Raises EaselError with the reason when there is no picture. Ctrl-C ends after the current step and keeps
    what is finished.
    """
    house = make_house(flags)
    try:
        if drawing.redrawing and drawing.redrawing.batch_input:
            return draw_batch(house, _plan(drawing, drawing.redrawing))
        return _draw(house, drawing)
    finally:
        house.close()


def _draw(house: House, drawing: Drawing) -> int:
    options = house.store.options
    if drawing.model:
        options = options.overridden({"sd_model_checkpoint": drawing.model})
    files = _Files(drawing.output, drawing.batch_size * drawing.batch_count, options)
    values = _request(drawing)
    if drawing.redrawing:
        request: PictureKinds = parse_img2img(values | _pictures(drawing, drawing.redrawing))
    else:
        request = parse_txt2img(values | _sides(drawing, house.engine.native_size(options)))
    run = house.engine.plan(request, options, house.styles, save=drawing.output is None)
    watcher = TerminalWatcher(sys.stderr, files.keep)
    before = signal.signal(signal.SIGINT, lambda *_: watcher.stop())
    try:
        result = house.engine.make(run, watcher)
    finally:
        signal.signal(signal.SIGINT, before)
    if watcher.failure:
        what = drawing.output or "The picture is saved, but its name"
        raise EaselError(f"{what} could not be written: {watcher.failure}.") from watcher.failure
    if any(picture.unsaved for picture in result.pictures):
        return UNSAVED
    return STOPPED if watcher.should_stop() else 0


def _request(drawing: Drawing) -> dict[str, Any]:
    """The request but for its size and what it starts from."""
    return {
        "prompt": drawing.prompt,
        "negative_prompt": drawing.negative_prompt,
        "styles": drawing.style,
        "steps": drawing.steps,
        "seed": drawing.seed,
        "sampler_name": drawing.sampler or next(iter(SAMPLERS.values())).name,
        "scheduler": drawing.scheduler,
        "cfg_scale": drawing.cfg_scale,
        "batch_size": drawing.batch_size,
        "n_iter": drawing.batch_count,
    }


def _sides(drawing: Drawing, otherwise: tuple[int, int]) -> dict[str, int]:
    return {
        "width": otherwise[0] if drawing.width is None else drawing.width,
        "height": otherwise[1] if drawing.height is None else drawing.height,
    }


def _pictures(drawing: Drawing, redrawing: Redrawing) -> dict[str, Any]:
    """What the request starts from, and its size: the first picture's unless it is given."""
    files = [_read(path) for path in redrawing.init_image]
    values: dict[str, Any] = {"init_images": [base64.b64encode(file).decode() for file in files]}
    if redrawing.mask:
        values["mask"] = base64.b64encode(_read(redrawing.mask)).decode()
    size = scaled_size(files[0], redrawing.scale_by or 1.0)
    return {**redrawing.values(), **values, **_sides(drawing, size)}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EaselError(f"{path} cannot be read: {error.strerror or error}.") from error


def _plan(drawing: Drawing, redrawing: Redrawing) -> BatchPlan:
    """The plan for a folder; each result has its picture's size unless one is given."""
    own_size = drawing.width is None and drawing.height is None
    sides = {} if own_size else _sides(drawing, (512, 512))
    model = {"sd_model_checkpoint": drawing.model} if drawing.model else {}
    return BatchPlan(
        request={**_request(drawing), **redrawing.values(), **sides, "override_settings": model},
        scale_by=redrawing.scale_by or (1.0 if own_size else None),
        input_folder=_absolute(redrawing.batch_input),
        output_folder=_absolute(redrawing.batch_output),
        mask_folder=_absolute(redrawing.batch_mask),
        reads_pictures=redrawing.png_info,
        reads_text_files=redrawing.text_files,
    )


def _absolute(path: Path | None) -> str:
    return str(path.absolute()) if path else ""


class _Files:
    """Writes finished pictures to the file that was named, several as NAME-1, NAME-2 ...

    Raises EaselError at once for a file name whose format or folder does not exist.
    """

    def __init__(self, output: Path | None, pictures: int, options: Options) -> None:
        self._output = output
        self._several = pictures > 1
        self._written = 0
        if output is not None:
            if not output.parent.is_dir():
                raise EaselError(f"There is no folder {output.parent} for {output.name}: make it first.")
            self._format = SaveFormat(
                PictureFormat.named("output", output.suffix or "png"),
                options.jpeg_quality,
                options.webp_lossless,
            )

    def keep(self, picture: MadePicture) -> None:
        """Write `picture`, unless the outputs folder has it, and name its file. Raises OSError."""
        path = picture.path
        if self._output is not None and not picture.is_grid:
            self._written += 1
            path = self._output
            if self._several:
                path = path.with_name(f"{path.stem}-{self._written}{path.suffix}")
            replace_file(
                path, encode_picture(picture.pixels(), picture.infotext, self._format, picture.record).data
            )
        if path is not None:
            sys.stdout.write(f"{path}\n")
            sys.stdout.flush()
