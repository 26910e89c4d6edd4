"""Interrupt and skip: what is done is kept, what is not finished is saved only by setting."""

import json

import numpy as np
import pytest

from .drawing import Recorder, pixels


def test_an_interrupt_in_the_middle_keeps_finished_pictures_and_the_newest_look_of_the_next(draw):
    whole = pixels(draw({"n_iter": 3, "steps": 4}))
    watcher = Recorder(stop_at=6)
    result = draw({"n_iter": 3, "steps": 4}, watcher)
    made = pixels(result)
    assert len(made) == 2
    assert np.array_equal(made[0], whole[0])
    assert not np.array_equal(made[1], whole[1])
    assert watcher.pictures == list(result.pictures)


@pytest.mark.parametrize(("wanted", "files"), [(False, 1), (True, 2)])
def test_an_incomplete_picture_is_saved_only_by_setting(draw, tmp_path, wanted, files):
    folders = {"outdir_samples": str(tmp_path), "outdir_grids": str(tmp_path / "grids"), "grid_save": False}
    request = {"n_iter": 2, "steps": 4}
    result = draw(request, Recorder(stop_at=6), save=True, save_incomplete_images=wanted, **folders)
    singles = [picture for picture in result.pictures if not picture.is_grid]
    assert len(singles) == 2
    assert singles[0].path.is_file()
    assert (singles[1].path is not None) is wanted
    assert len(list(tmp_path.rglob("*.png"))) == files


def test_an_interrupt_between_batches_ends_the_run_with_whole_pictures(draw):
    class AfterTheFirst(Recorder):
        def should_stop(self):
            return bool(self.pictures)

    whole = pixels(draw({"n_iter": 3}))
    made = pixels(draw({"n_iter": 3}, AfterTheFirst()))
    assert len(made) == 1
    assert np.array_equal(made[0], whole[0])


def test_an_interrupt_before_the_first_step_gives_no_picture_and_no_failure(draw):
    class AtOnce(Recorder):
        def should_stop(self):
            return True

    result = draw({}, AtOnce())
    assert result.pictures == ()
    assert json.loads(result.info_json())["infotexts"] == []


def test_a_skip_ends_one_batch_and_the_next_is_whole(draw):
    whole = pixels(draw({"n_iter": 3, "steps": 4}))
    made = pixels(draw({"n_iter": 3, "steps": 4}, Recorder(skip_at=2)))
    assert len(made) == 3
    assert not np.array_equal(made[0], whole[0])
    assert np.array_equal(made[1], whole[1])
    assert np.array_equal(made[2], whole[2])


def test_a_skip_that_comes_while_a_batch_is_decoded_does_not_cost_the_next(draw):
    class WhileDecoding(Recorder):
        asked = False

        def on_picture(self, picture):
            self.asked = not self.pictures
            super().on_picture(picture)

        def should_skip(self):
            asked, self.asked = self.asked, False
            return asked

    whole = pixels(draw({"n_iter": 2}))
    assert all(map(np.array_equal, pixels(draw({"n_iter": 2}, WhileDecoding())), whole))


def test_a_batch_interrupted_in_the_first_pass_of_hires_is_as_large_as_the_first_pass(draw):
    hires = {"enable_hr": True, "hr_scale": 2, "steps": 3}
    sizes = [draw(hires, Recorder(stop_at=stop)).pictures[0].image.size for stop in (2, 5)]
    assert sizes == [(64, 64), (128, 128)]
