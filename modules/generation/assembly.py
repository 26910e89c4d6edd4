"""The head's half of a run: pictures arrive from whoever draws, are saved in order, and put on a grid."""

import time
from collections.abc import Mapping
from dataclasses import replace

from modules.folders import Folders
from modules.generation.drawn import Drawn, ModelFacts, Role
from modules.generation.extra_fields import extra_fields
from modules.generation.infotext_fields import infotext_of_picture
from modules.generation.ledger import KeptPicture, Ledger, PictureKey
from modules.generation.record import Recorder
from modules.generation.result import GenerationResult
from modules.generation.run import Run
from modules.generation.saving import Album
from modules.generation.watcher import MadePicture, Watcher
from modules.imaging import SaveFormat, grid_rows, make_grid
from modules.version import VERSION

__all__ = ["Assembly"]


class Assembly:
    """Takes the drawn pictures of one run in any order and keeps each as soon as those before it are kept.

    So the numbers of the files do not depend on who drew what. With a `ledger`, pictures that were kept
    before a crash are not kept twice. Not safe for several threads at once.
    """

    def __init__(self, run: Run, folders: Folders, watcher: Watcher, ledger: Ledger | None = None) -> None:
        self._run, self._watcher = run, watcher
        self._album = Album(run, folders, watcher.on_note, ledger)
        self._recorder = Recorder(run)
        self._timestamp = time.strftime("%Y%m%d%H%M%S")
        # Only the grid needs the pixels of pictures that have a file; who has no ledger wants them back.
        self._forgets_pixels = ledger is not None and not self._wants_grid(run.pictures)
        self._kept: Mapping[PictureKey, KeptPicture] = dict(ledger.kept()) if ledger else {}
        self._made: dict[PictureKey, MadePicture] = {
            key: _made_before(key, kept) for key, kept in self._kept.items()
        }
        self._facts = next((kept.facts for kept in self._kept.values()), None)
        missing = set(self.missing())
        self._groups = [waited for group in run.groups if (waited := missing & set(group))]
        self._early: list[Drawn] = []

    def missing(self) -> tuple[int, ...]:
        """The pictures (0-based) that have to be drawn.

        One that is kept is among them where the grid needs its pixels and the file has lost some of them.
        """
        lossless = SaveFormat.from_options(self._run.options).is_lossless
        redraws = self._wants_grid(self._run.pictures) and not lossless
        kept = {index for role, index in self._kept if role is Role.PICTURE and not redraws}
        return tuple(index for index in range(self._run.pictures) if index not in kept)

    def announce_kept(self) -> None:
        """Tell the watcher of what was kept before a crash, and put in order what lies beside it."""
        self._album.tidy(self._made.values())
        for (role, _), made in sorted(self._made.items()):
            self._album.complete(made)
            if role is Role.PICTURE:
                self._watcher.on_picture(made)

    def receive(self, drawn: Drawn) -> None:
        """Keep `drawn`, or hold it until the groups before its own have come."""
        self._early.append(drawn)
        while self._groups:
            ready = [each for each in self._early if self._is_of_first_group(each)]
            if not ready:
                return
            self._early = [each for each in self._early if not self._is_of_first_group(each)]
            for each in ready:
                self._keep(each)
            if not self._groups[0]:
                del self._groups[0]

    def finish(self) -> GenerationResult:
        """The result, with its grid, of what has come; what is still held is kept now."""
        for drawn in sorted(self._early, key=lambda each: each.index):
            self._keep(drawn)
        self._early = []
        return self._result(self._with_grid(self._pictures()))

    def so_far(self) -> GenerationResult:
        """The result of what is kept by now. Nothing more is saved, so the run can go on another day."""
        return self._result(self._pictures())

    def _pictures(self) -> list[MadePicture]:
        return [self._made[key] for key in sorted(self._made) if key[0] is Role.PICTURE]

    def _result(self, pictures: list[MadePicture]) -> GenerationResult:
        return GenerationResult(
            pictures=tuple(pictures),
            run=self._run,
            extra_fields=extra_fields(self._run, self._facts),
            model=self._facts,
            version=VERSION,
            job_timestamp=self._timestamp,
        )

    def knows(self, facts: ModelFacts) -> None:
        """The model that draws, told by who draws, in case no picture comes."""
        self._facts = self._facts or facts

    def _is_of_first_group(self, drawn: Drawn) -> bool:
        waited = self._groups[0]
        return drawn.index in waited or (drawn.role is not Role.PICTURE and self._same_group(drawn, waited))

    def _same_group(self, drawn: Drawn, waited: set[int]) -> bool:
        group = next(group for group in self._run.groups if drawn.index in group)
        return not waited.isdisjoint(group)

    def _keep(self, drawn: Drawn) -> None:
        key = (drawn.role, drawn.index)
        self._facts = self._facts or drawn.facts
        if drawn.image is not None and key in self._made:
            self._made[key] = replace(self._made[key], image=drawn.image)
        elif drawn.image is not None:
            self._made[key] = self._album.keep(drawn, self._record(drawn))
        if drawn.role is not Role.PICTURE:
            return
        for waited in self._groups[:1]:
            waited.discard(drawn.index)
        if key in self._made and key not in self._kept:
            self._watcher.on_picture(self._made[key])
        if key in self._made and self._forgets_pixels:
            self._made[key] = self._made[key].without_pixels()

    def _record(self, drawn: Drawn) -> str | None:
        """The machine-readable record of `drawn`, where pictures are to carry one."""
        if drawn.image is None or not self._run.options.enable_picture_record:
            return None
        return self._recorder.record_of(drawn, drawn.image).text()

    def _wants_grid(self, pictures: int) -> bool:
        run, options = self._run, self._run.options
        fewest = 2 if options.grid_only_if_multiple else 1
        return run.save and pictures >= fewest and (options.return_grid or options.grid_save)

    def _with_grid(self, made: list[MadePicture]) -> list[MadePicture]:
        """`made` with its grid in front, where one is wanted."""
        run, options, facts = self._run, self._run.options, self._facts
        if not made or facts is None or not self._wants_grid(len(made)):
            return made
        grid = self._made.get((Role.GRID, 0))
        if grid is None:
            rows = grid_rows(
                len(made), run.request.batch_size, options.n_rows, options.grid_prevent_empty_spots
            )
            image = make_grid([picture.pixels() for picture in made], rows)
            text = infotext_of_picture(run, facts, 0, VERSION, extra_fields(run, facts))
            seeds = run.seeds.seeds[0], run.seeds.subseeds[0]
            drawn = Drawn(Role.GRID, 0, image, text, *seeds, facts, vae_strips=run.vae_strips)
            grid = self._album.keep(drawn, self._record(drawn))
        self._watcher.on_picture(grid)
        return [grid, *made] if options.return_grid else made


def _made_before(key: PictureKey, kept: KeptPicture) -> MadePicture:
    role, index = key
    return MadePicture(
        image=None,
        infotext=kept.infotext,
        seed=kept.seed,
        subseed=kept.subseed,
        path=None if kept.spooled else kept.path,
        spooled=kept.path if kept.spooled else None,
        is_grid=role is Role.GRID,
        index=index,
    )
