"""Where a finished picture goes: into its folder, with its text, the moment it exists."""

from dataclasses import replace
from datetime import datetime

from modules.checkpoints import Model
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
    """Saves the pictures of one run as its options say."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._started = datetime.now().astimezone()

    def keep(
        self, picture: MadePicture, run: Run, model: Model, position: int, suffix: str = ""
    ) -> MadePicture:
        """`picture` number `position` (0-based), saved if it is to be, with its path; `suffix` ends the name.

        Raises EaselError when it cannot be written.
        """
        options = run.options
        if not run.save or not options.samples_save or run.request.do_not_save_samples:
            return picture
        folder = self._folders.place(options.outdir_samples or options.outdir_txt2img_samples)
        place = SavePlace(folder, _facts(run, model, position, self._started), suffix=suffix)
        saved = save_picture(picture.image, place, picture.infotext, SaveOptions.from_options(options))
        return replace(picture, path=saved.path)

    def keep_grid(self, grid: MadePicture, run: Run, model: Model) -> MadePicture:
        """`grid`, saved if it is to be, with its path. Raises EaselError when it cannot be written."""
        options = run.options
        if not options.grid_save or run.request.do_not_save_grid:
            return grid
        folder = self._folders.place(options.outdir_grids or options.outdir_txt2img_grids)
        place = SavePlace.for_grid(folder, _facts(run, model, 0, self._started))
        saved = save_picture(grid.image, place, grid.infotext, SaveOptions.from_options(options, grid=True))
        return replace(grid, path=saved.path)


def picture_bytes(picture: MadePicture, run: Run) -> bytes:
    """The picture as a file in the format of `samples_format`, its text inside."""
    return encode_picture(picture.image, picture.infotext, SaveFormat.from_options(run.options)).data
