"""Where a finished picture goes: into its folder, with its text, the moment it exists."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from modules.atomic import replace_file
from modules.errors import EaselError
from modules.folders import Folders
from modules.generation.drawn import Drawn, ModelFacts, Role
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.ledger import KeptPicture, Ledger, PictureKey
from modules.generation.run import Run
from modules.generation.watcher import MadePicture
from modules.imaging import (
    PictureFacts,
    PictureFormat,
    SaveFormat,
    SaveOptions,
    SavePlace,
    complete_files_beside,
    encode_picture,
    remove_unfinished,
    save_picture,
)

__all__ = ["Album", "picture_bytes"]

SUFFIXES = {Role.BEFORE_HIRES: "-before-highres-fix"}


def _facts(run: Run, model: ModelFacts, position: int, started: datetime) -> PictureFacts:
    """What a file name can tell of picture number `position` (0-based)."""
    request = run.request
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
        model_hash=model.short_hash,
        model_name=model.stem,
        vae_filename=model.vae_name,
        prompt=run.prompt,
        prompt_without_styles=request.prompt,
        negative_prompt=run.negative_prompt,
        batch_position=position % request.batch_size,
        batch_size=request.batch_size,
        picture_position=position,
        pictures=run.pictures,
        clip_skip=run.options.CLIP_stop_at_last_layers,
        denoising_strength=_strength(run),
        job_started=started,
    )


def _strength(run: Run) -> float | None:
    """How much of a picture is drawn anew, where one is drawn over."""
    if isinstance(run.request, Img2ImgRequest):
        return run.request.denoising_strength
    return run.hires.strength if run.hires else None


class Album:
    """Saves the pictures of one run as its options say, and tells the ledger, where there is one.

    A full disk must not cost pictures that are drawn already: one that cannot be written has the reason in
    place of a path, and `note` is told.
    """

    def __init__(
        self, run: Run, folders: Folders, note: Callable[[str], None], ledger: Ledger | None
    ) -> None:
        self._run, self._folders, self._note, self._ledger = run, folders, note, ledger
        self._started = ledger.started if ledger else datetime.now().astimezone()

    def keep(self, drawn: Drawn, record: str | None = None) -> MadePicture:
        """`drawn`, saved among the outputs if it is to be; else kept in the spool, where there is one."""
        made = MadePicture(
            image=drawn.image,
            infotext=drawn.infotext,
            seed=drawn.seed,
            subseed=drawn.subseed,
            is_grid=drawn.role is Role.GRID,
            index=drawn.index,
            record=record,
        )
        return self._saved(made, drawn) if self._goes_into_outputs(drawn) else self._spooled(made, drawn)

    def complete(self, made: MadePicture) -> None:
        """Write what belongs beside `made`, a text file or a small copy, where a crash has cost it."""
        if made.path is None:
            return
        options = SaveOptions.from_options(self._run.options, made.is_grid, self._folders.names)
        try:
            complete_files_beside(made.path, made.infotext, options)
        except (OSError, EaselError) as error:
            self._note(f"What belongs beside {made.path.name} could not be written: {error}.")

    def tidy(self, made: Iterable[MadePicture]) -> None:
        """Remove the unfinished files that a crash has left beside the pictures `made` before it."""
        with contextlib.suppress(OSError):
            for folder in {picture.path.parent for picture in made if picture.path}:
                remove_unfinished(folder)
            if self._ledger:
                # No other program works in a job's own folder.
                for path in self._ledger.spool.glob(".*.tmp"):
                    path.unlink(missing_ok=True)

    def _goes_into_outputs(self, drawn: Drawn) -> bool:
        run, options = self._run, self._run.options
        if drawn.role is Role.GRID:
            return run.save and options.grid_save and not run.request.do_not_save_grid
        wanted = drawn.complete or options.save_incomplete_images
        return wanted and run.save and options.samples_save and not run.request.do_not_save_samples

    def _place(self, drawn: Drawn) -> SavePlace:
        options = self._run.options
        samples, grids = {
            "txt2img": (options.outdir_txt2img_samples, options.outdir_txt2img_grids),
            "img2img": (options.outdir_img2img_samples, options.outdir_img2img_grids),
        }[self._run.order.kind]
        facts = _facts(self._run, drawn.facts, drawn.index, self._started)
        if drawn.role is Role.GRID:
            return SavePlace.for_grid(self._folders.place(options.outdir_grids or grids), facts)
        folder = self._folders.place(options.outdir_samples or samples)
        return SavePlace(folder, facts, suffix=SUFFIXES.get(drawn.role, ""))

    def _saved(self, made: MadePicture, drawn: Drawn) -> MadePicture:
        key = (drawn.role, drawn.index)

        def about_to_appear(path: Path, digest: str) -> None:
            if self._ledger:
                self._ledger.about_to_keep(key, path, digest, _kept(path, drawn))

        options = SaveOptions.from_options(self._run.options, made.is_grid, self._folders.names)
        try:
            path = save_picture(
                made.pixels(),
                self._place(drawn),
                made.infotext,
                options,
                record=made.record,
                about_to_appear=about_to_appear,
            ).path
        except EaselError as error:
            self._note(str(error))
            return self._spooled(replace(made, unsaved=str(error)), drawn)
        self._tell(key, _kept(path, drawn))
        return replace(made, path=path)

    def _spooled(self, made: MadePicture, drawn: Drawn) -> MadePicture:
        """`made` in the job's own folder, so that neither a crash nor an impatient client loses it."""
        if self._ledger is None or drawn.role is Role.BEFORE_HIRES:
            return made
        path = self._ledger.spool / f"{drawn.role}-{drawn.index}.png"
        encoded = encode_picture(made.pixels(), made.infotext, SaveFormat(PictureFormat.PNG), made.record)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, encoded.data)
        except OSError:
            # It is in memory and will be answered from there; only a crash would lose it.
            return made
        self._tell((drawn.role, drawn.index), _kept(path, drawn, spooled=True))
        return replace(made, spooled=path)

    def _tell(self, key: PictureKey, kept: KeptPicture) -> None:
        if self._ledger:
            self._ledger.has_kept(key, kept)


def _kept(path: Path, drawn: Drawn, *, spooled: bool = False) -> KeptPicture:
    return KeptPicture(path, drawn.infotext, drawn.seed, drawn.subseed, drawn.facts, spooled)


def picture_bytes(picture: MadePicture, run: Run) -> bytes:
    """The picture as a file in the format of `samples_format`, its text and its record inside."""
    save_format = SaveFormat.from_options(run.options)
    if saved := _as_saved(picture, save_format.format):
        return saved
    return encode_picture(picture.pixels(), picture.infotext, save_format, picture.carried_record()).data


def _as_saved(picture: MadePicture, wanted: PictureFormat) -> bytes | None:
    """The bytes of its output file if that has this format: encoding it once more would lose pixels."""
    path = picture.path
    if picture.image is not None or path is None:
        return None
    if path.suffix.lower().lstrip(".").replace("jpeg", "jpg") != wanted:
        return None
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return None
