"""Where a finished picture goes: into its folder, with its text, the moment it exists."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from modules.checkpoints import Model
from modules.errors import EaselError
from modules.folders import Folders
from modules.generation.run import Run
from modules.generation.watcher import MadePicture
from modules.imaging import PictureFacts, SaveFormat, SaveOptions, SavePlace, encode_picture, save_picture

__all__ = ["Album", "picture_bytes"]


def _facts(run: Run, model: Model, position: int, started: datetime) -> PictureFacts:
    """What a file name can tell of picture number `position` (0-based)."""
    request, vae = run.request, model.vae_file
    return PictureFacts(
        seed=run.seeds.seeds[position],
        first_seed=run.seeds.seeds[0],
        last_seed=run.seeds.seeds[-1],
        steps=request.steps,
        cfg_scale=request.cfg_scale,
        width=request.width,
        height=request.height,
        styles=request.styles,
        sampler=run.sampler.name,
        scheduler=run.schedule.name,
        model_hash=model.checkpoint.short_hash,
        model_name=model.checkpoint.stem,
        vae_filename=vae.name if vae else None,
        prompt=run.prompt,
        prompt_without_styles=request.prompt,
        negative_prompt=run.negative_prompt,
        batch_position=position % request.batch_size,
        batch_size=request.batch_size,
        picture_position=position,
        pictures=run.pictures,
        clip_skip=run.options.CLIP_stop_at_last_layers,
        denoising_strength=run.hires.strength if run.hires else None,
        job_started=started,
    )


class Album:
    """Saves the pictures of one run as its options say.

    A full disk must not cost pictures that are drawn already: one that cannot be written has the reason in
    place of a path, and `note` is told.
    """

    def __init__(self, folders: Folders, note: Callable[[str], None]) -> None:
        self._folders = folders
        self._note = note
        self._started = datetime.now().astimezone()

    def keep(
        self, picture: MadePicture, run: Run, model: Model, position: int, suffix: str = ""
    ) -> MadePicture:
        """`picture` number `position` (0-based), saved if it is to be; `suffix` ends the file's name."""
        options = run.options
        if not run.save or not options.samples_save or run.request.do_not_save_samples:
            return picture
        folder = self._folders.place(options.outdir_samples or options.outdir_txt2img_samples)
        place = SavePlace(folder, _facts(run, model, position, self._started), suffix=suffix)
        return self._saved(picture, place, SaveOptions.from_options(options))

    def keep_grid(self, grid: MadePicture, run: Run, model: Model) -> MadePicture:
        """`grid`, saved if it is to be, with its path."""
        options = run.options
        if not options.grid_save or run.request.do_not_save_grid:
            return grid
        folder = self._folders.place(options.outdir_grids or options.outdir_txt2img_grids)
        place = SavePlace.for_grid(folder, _facts(run, model, 0, self._started))
        return self._saved(grid, place, SaveOptions.from_options(options, grid=True))

    def _saved(self, picture: MadePicture, place: SavePlace, options: SaveOptions) -> MadePicture:
        try:
            return replace(picture, path=save_picture(picture.image, place, picture.infotext, options).path)
        except EaselError as error:
            self._note(str(error))
            return replace(picture, unsaved=str(error))


def picture_bytes(picture: MadePicture, run: Run) -> bytes:
    """The picture as a file in the format of `samples_format`, its text inside."""
    return encode_picture(picture.image, picture.infotext, SaveFormat.from_options(run.options)).data
