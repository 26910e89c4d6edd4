"""Progress on a terminal."""

import io

import pytest
from PIL import Image

from modules.cli.terminal import TerminalWatcher
from modules.generation import MadePicture, StepReport

HALF = StepReport(done=5, total=10, batch=0, batches=1, stage="Sampling")
PICTURE = MadePicture(Image.new("RGB", (8, 8)), "", 1, 2)


class Screen(io.StringIO):
    """A terminal that remembers what was written."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is():
    screen = Screen()
    TerminalWatcher(screen, print).on_step(HALF)
    assert screen.getvalue().endswith("Sampling [############............]  50%")


def test_a_file_gets_no_bar():
    file = io.StringIO()
    TerminalWatcher(file, print).on_step(HALF)
    assert file.getvalue() == ""


def test_finished_pictures_are_handed_on():
    kept = []
    TerminalWatcher(io.StringIO(), kept.append).on_picture(PICTURE)
    assert kept == [PICTURE]


def test_a_picture_that_a_stop_cut_short_is_dropped():
    kept = []
    watcher = TerminalWatcher(io.StringIO(), kept.append)
    watcher.stop()
    watcher.on_picture(PICTURE)
    assert kept == []


def test_asking_twice_to_stop_stops_at_once():
    watcher = TerminalWatcher(io.StringIO(), print)
    watcher.stop()
    with pytest.raises(KeyboardInterrupt):
        watcher.stop()


def test_a_full_disk_ends_the_run_and_is_remembered():
    def full(_picture):
        raise OSError(28, "No space left on device")

    watcher = TerminalWatcher(io.StringIO(), full)
    watcher.on_picture(PICTURE)
    assert watcher.should_stop()
    assert "No space left" in str(watcher.failure)
