"""Pictures may be drawn anywhere, in any order, and in pieces: the files and the result are the same."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from modules.generation import Assembly, KeptPicture, parse_txt2img, picture_bytes

from .drawing import TINY, Recorder, pixels

SIX = {"batch_size": 2, "n_iter": 3}
HIRES = {"enable_hr": True, "hr_scale": 1.5}


@dataclass
class Book:
    """A ledger in memory that forgets the pictures whose file is gone."""

    spool: Path
    started: datetime = field(default_factory=lambda: datetime(2026, 1, 2, 3, 4, 5).astimezone())
    pictures: dict = field(default_factory=dict)
    announced: list = field(default_factory=list)

    def kept(self):
        return {key: kept for key, kept in self.pictures.items() if kept.path.exists()}

    def about_to_keep(self, key, path: Path, digest: str, kept: KeptPicture):
        self.announced.append((key, path.exists()))

    def has_kept(self, key, kept: KeptPicture):
        assert kept.path.is_file()
        self.pictures[key] = kept


@pytest.fixture
def plan(house, tmp_path):
    """A function from request values and settings to a run whose files go below a folder of this name."""

    def plan(place: str, values=None, save=True, **settings):
        outputs = {"outdir_samples": str(tmp_path / place), "outdir_grids": str(tmp_path / place / "grids")}
        options = house.store.options.overridden(
            {
                "sd_model_checkpoint": "tiny-sd1",
                "save_to_dirs": False,
                "grid_save_to_dirs": False,
                **outputs,
                **settings,
            }
        )
        return house.engine.plan(
            parse_txt2img({**TINY, **SIX, **(values or {})}), options, house.styles, save=save
        )

    return plan


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def assembled(house, run, shares, ledger=None):
    """The result of a run whose pictures were drawn share after share, each handed over when it was drawn."""
    watcher = Recorder()
    assembly = Assembly(run, house.folders, watcher, ledger)
    for share in shares:
        house.engine.draw(run, share, watcher, assembly.receive)
    return assembly.finish(), watcher


@pytest.mark.parametrize(
    ("exact", "shares"),
    [
        (False, [[4, 5], [0, 1], [2, 3]]),
        (False, [[2, 3], [4, 5], [0, 1]]),
        (True, [[5], [3], [1], [0], [2], [4]]),
        (True, [[1, 4], [0, 2, 5], [3]]),
    ],
)
@pytest.mark.parametrize("values", [{}, HIRES], ids=["one pass", "hires"])
def test_whatever_the_order_of_drawing_the_files_are_the_same(house, plan, tmp_path, exact, shares, values):
    settings = {"save_images_before_highres_fix": True, "exact_batches": exact}
    whole = house.engine.make(plan("whole", values, **settings), Recorder())
    result, _ = assembled(house, plan("pieces", values, **settings), shares)
    assert files(tmp_path / "pieces") == files(tmp_path / "whole")
    assert result.infotexts == whole.infotexts
    assert all(map(np.array_equal, pixels(result), pixels(whole)))


def test_a_picture_waits_only_for_the_groups_before_its_own(house, plan):
    run, watcher = plan("waits"), Recorder()
    assembly = Assembly(run, house.folders, watcher)
    house.engine.draw(run, [2, 3], watcher, assembly.receive)
    assert watcher.pictures == []
    house.engine.draw(run, [0], watcher, assembly.receive)
    assert [picture.index for picture in watcher.pictures] == [0]
    house.engine.draw(run, [1], watcher, assembly.receive)
    assert [picture.index for picture in watcher.pictures] == [0, 1, 2, 3]


def test_a_run_that_ends_early_keeps_what_came_although_pictures_before_it_are_missing(house, plan, tmp_path):
    result, _ = assembled(house, plan("early"), [[4, 5], [1]])
    assert [picture.index for picture in result.pictures if not picture.is_grid] == [1, 4, 5]
    assert all(picture.path.is_file() for picture in result.pictures)


@pytest.mark.parametrize("kept", [[0], [0, 1, 2], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("format", ["png", "jpg"])
def test_after_a_crash_only_the_missing_pictures_are_made_and_nothing_is_made_twice(
    house, plan, tmp_path, kept, format
):
    settings = {"samples_format": format, "grid_format": "png"}
    house.engine.make(plan("whole", **settings), Recorder())
    book = Book(tmp_path / "spool")
    run = plan("resumed", **settings)
    before = Assembly(run, house.folders, Recorder(), book)
    house.engine.draw(run, kept, Recorder(), before.receive)
    result = house.engine.make(run, watcher := Recorder(), book)
    assert files(tmp_path / "resumed") == files(tmp_path / "whole")
    assert sorted(picture.index for picture in watcher.pictures if not picture.is_grid) == list(range(6))
    assert len(result.pictures) == 7
    assert all(not was_there for _, was_there in book.announced)
    assert len(book.announced) == 7


def test_a_picture_that_was_deleted_after_a_crash_is_made_again(house, plan, tmp_path):
    book, run = Book(tmp_path / "spool"), plan("deleted")
    first = house.engine.make(run, Recorder(), book)
    gone = next(picture.path for picture in first.pictures if picture.index == 3)
    gone.unlink()
    assert Assembly(run, house.folders, Recorder(), book).missing() == (3,)


@pytest.mark.parametrize(
    ("settings", "lost"),
    [({"save_txt": True}, "*.txt"), ({"export_for_4chan": True, "target_side_length": 48}, "*.jpg")],
)
def test_a_file_beside_a_picture_that_a_crash_has_cost_is_written_again(
    house, plan, tmp_path, settings, lost
):
    book, run = Book(tmp_path / "spool"), plan("beside", **settings)
    house.engine.make(run, Recorder(), book)
    before = files(tmp_path / "beside")
    next((tmp_path / "beside").glob(lost)).unlink()
    house.engine.make(run, Recorder(), book)
    assert files(tmp_path / "beside") == before


def test_pictures_that_are_not_to_be_saved_lie_in_the_spool_and_are_read_from_it(house, plan, tmp_path):
    book, run = Book(tmp_path / "spool"), plan("api", save=False)
    first = house.engine.make(run, Recorder(), book)
    assert not (tmp_path / "api").exists()
    assert sorted(path.name for path in book.spool.iterdir()) == [f"picture-{k}.png" for k in range(6)]
    again = house.engine.make(run, Recorder(), book)
    assert [picture.image for picture in again.pictures] == [None] * 6
    assert all(map(np.array_equal, pixels(again), pixels(first)))
    assert again.infotexts == first.infotexts


def test_a_skipped_batch_is_not_drawn_again_after_a_crash(house, plan, tmp_path):
    book, run = Book(tmp_path / "spool"), plan("skipped", {"steps": 4})
    watcher = Recorder(skip_at=6)
    house.engine.make(run, watcher, book)
    assert Assembly(run, house.folders, Recorder(), book).missing() == ()


def test_a_batch_that_was_given_up_before_its_first_step_holds_up_nobody(house, plan):
    class BeforeTheSecond(Recorder):
        def should_skip(self):
            return bool(self.reports) and self.reports[-1].batch == 1 and self.reports[-1].done == 3

    run = plan("given up", {"steps": 2})
    result = house.engine.make(run, BeforeTheSecond())
    assert [picture.index for picture in result.pictures if not picture.is_grid] == [0, 1, 2, 3, 4, 5]


def test_a_picture_without_pixels_says_so_when_its_file_is_gone(house, plan):
    from modules.errors import NotFound

    made = house.engine.make(plan("gone"), Recorder()).pictures[1].without_pixels()
    made.path.unlink()
    with pytest.raises(NotFound, match="no longer where it was saved"):
        made.pixels()


@pytest.mark.parametrize("format", ["png", "jpg", "webp"])
def test_a_saved_picture_is_answered_as_it_was_saved(house, plan, tmp_path, format):
    run = plan("answered", {"n_iter": 1, "batch_size": 1}, samples_format=format)
    (picture,) = house.engine.make(run, Recorder()).pictures
    assert picture_bytes(picture.without_pixels(), run) == picture.path.read_bytes()


@pytest.mark.parametrize(("grid", "in_memory"), [(False, False), (True, True)])
def test_pixels_stay_in_memory_only_for_a_grid(house, plan, tmp_path, grid, in_memory):
    run = plan("memory", grid_save=grid, return_grid=grid)
    assembly = Assembly(run, house.folders, Recorder(), Book(tmp_path / "spool"))
    house.engine.draw(run, range(4), Recorder(), assembly.receive)
    assert {picture.image is not None for picture in assembly.so_far().pictures} == {in_memory}
