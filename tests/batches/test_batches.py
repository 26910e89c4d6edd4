"""Folders of pictures are redrawn: what is broken is named, what was stopped goes on where it stopped."""

import io

import pytest
from PIL import Image

from modules.batches import BatchState, OutcomeKind
from modules.errors import InvalidRequest, NotFound
from modules.jobs import JobState, WrongState

from .conftest import CLIENT, REQUEST, names, picture


def test_every_picture_is_redrawn_under_its_name_and_a_broken_one_is_reported(own_house, folder, plan, until):
    given = folder("in", a=picture(10), b10=b"no picture", b9=picture(20), **{"c [seed]": picture(30)})
    batch = own_house.batches.start(plan(input_folder=str(given)), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
    out = own_house.folders.data / "out"
    assert names(out) == ["a.png", "b9.png", "c [seed].png"]
    assert batch.names == ("a.png", "b9.png", "b10.png", "c [seed].png")
    assert batch.summary == "4 of 4, 1 failed: b10.png"
    texts = [Image.open(out / name).text["parameters"] for name in names(out)]
    assert len({text.split("Seed: ")[1].split(",")[0] for text in texts}) == 1, "drawn once for all"


def test_a_batch_of_many_keeps_a_few_jobs_in_the_queue(works, folder, plan, until):
    given = folder("in", **{f"p{number}": picture(number) for number in range(30)})
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: len(works.queue.jobs()) == 4)
    works.gate.passes.release(3)
    until(lambda: len(batch.outcomes) == 3)
    until(lambda: len([job for job in works.queue.jobs() if not job.ended.is_set()]) == 4)
    assert [job.source for job in works.queue.jobs()][:2] == [
        "batch, 1 of 30: p0.png",
        "batch, 2 of 30: p1.png",
    ]
    assert batch.summary == "3 of 30"
    assert names(given)[0] == "p0.png" and len(works.queue.jobs()) == 7


def test_several_results_of_a_picture_are_numbered_and_nothing_is_overwritten(works, folder, plan, until):
    works.gate.open.set()
    folder("in", cat=picture())
    folder("out", **{"cat-1": b"mine"})
    batch = works.batches.start(plan(input_folder="in", request={**REQUEST, "n_iter": 2}), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
    out = works.folders.data / "out"
    assert names(out) == ["cat-1-1.png", "cat-1.png", "cat-2.png"]
    assert (out / "cat-1.png").read_bytes() == b"mine"


def test_without_an_output_folder_results_are_saved_as_usual(works, four, plan, until):
    works.gate.open.set()
    batch = works.batches.start(plan(input_folder="in", output_folder=""), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
    assert len(list((works.folders.outputs / "img2img-images").rglob("*-7.png"))) == 4


def test_what_was_stopped_goes_on_where_it_stopped_and_takes_in_what_came_since(
    works, four, plan, until, folder
):
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: len(works.gate.seen) == 1)
    works.batches.stop(batch.id)
    assert batch.state is BatchState.STOPPING
    with pytest.raises(WrongState):
        works.batches.go_on(batch.id)
    works.gate.passes.release()
    until(lambda: batch.state is BatchState.STOPPED)
    assert batch.summary == "1 of 4" and names(works.folders.data / "out") == ["a.png"]
    folder("in", e=picture(9))
    works.gate.open.set()
    assert works.batches.start(plan(input_folder="in"), CLIENT) is batch, "the same folders go on"
    until(lambda: batch.state is BatchState.DONE)
    assert names(works.folders.data / "out") == ["a.png", "b.png", "c.png", "d.png", "e.png"]


def test_generate_pressed_twice_is_one_batch(works, four, plan):
    assert works.batches.start(plan(input_folder="in"), CLIENT) is works.batches.start(
        plan(input_folder="in"), CLIENT
    )


def test_interrupting_a_picture_stops_its_batch_and_it_is_drawn_again_later(works, four, plan, until):
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: works.queue.current() is not None)
    works.queue.interrupt()
    until(lambda: batch.state is BatchState.STOPPED)
    assert batch.outcomes == {}
    works.gate.open.set()
    works.batches.go_on(batch.id)
    until(lambda: batch.state is BatchState.DONE)
    assert names(works.folders.data / "out") == ["a.png", "b.png", "c.png", "d.png"]


def test_a_job_that_is_taken_off_the_queue_leaves_its_picture_out(works, four, plan, until):
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: len(works.queue.waiting()) == 3)
    works.queue.cancel(works.queue.waiting()[0].id)
    works.gate.open.set()
    until(lambda: batch.state is BatchState.DONE)
    assert list(batch.of_kind(OutcomeKind.LEFT_OUT)) == ["b.png"]
    assert names(works.folders.data / "out") == ["a.png", "c.png", "d.png"]


def test_what_failed_is_tried_again_by_wish(works, four, plan, until):
    works.gate.failure = InvalidRequest("prompt", "It is too long.")
    works.gate.open.set()
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
    assert batch.of_kind(OutcomeKind.FAILED)["c.png"] == "It is too long."
    works.gate.failure = None
    works.batches.go_on(batch.id, with_failed=True)
    until(lambda: batch.state is BatchState.DONE and not batch.of_kind(OutcomeKind.FAILED))
    assert names(works.folders.data / "out") == ["a.png", "b.png", "c.png", "d.png"]


def test_the_next_start_goes_on_with_a_batch_that_ran(open_works, four, plan, until):
    first = open_works()
    batch = first.batches.start(plan(input_folder="in"), CLIENT)
    first.gate.passes.release(2)
    until(lambda: len(batch.outcomes) == 2)
    first.close()
    second = open_works()
    second.gate.open.set()
    second.batches.open()
    again = second.batches.get(batch.id)
    until(lambda: again.state is BatchState.DONE)
    assert names(second.folders.data / "out") == ["a.png", "b.png", "c.png", "d.png"]
    assert len(second.queue.history()) == 4 and all(
        job.state is JobState.DONE for job in second.queue.history()
    )


def test_pictures_that_are_sent_become_a_batch_and_are_let_go_of_when_it_is_done(works, plan, until):
    works.gate.open.set()
    batch = works.batches.gather(plan(), CLIENT)
    sent = [
        works.batches.add_picture(batch.id, name, io.BytesIO(picture())) for name in ("a.png", r"..\a.png")
    ]
    assert sent == ["a.png", "a-1.png"]
    with pytest.raises(InvalidRequest, match="no ending of a picture"):
        works.batches.add_picture(batch.id, "a.exe", io.BytesIO(b""))
    works.batches.begin(batch.id)
    until(lambda: batch.state is BatchState.DONE)
    assert names(works.folders.data / "out") == ["a-1.png", "a.png"]
    assert [path.name for path in works.folders.batches.rglob("*.png")] == []
    with pytest.raises(WrongState):
        works.batches.add_picture(batch.id, "b.png", io.BytesIO(picture()))


def test_a_batch_is_forgotten_when_it_is_not_at_work(works, four, plan, until):
    batch = works.batches.start(plan(input_folder="in"), CLIENT)
    with pytest.raises(WrongState):
        works.batches.discard(batch.id)
    works.gate.open.set()
    until(lambda: batch.state is BatchState.DONE)
    works.batches.discard(batch.id)
    with pytest.raises(NotFound):
        works.batches.get(batch.id)
    assert list(works.folders.batches.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "input_folder"),
        ({"input_folder": "nowhere"}, "input_folder"),
        ({"input_folder": "empty"}, "input_folder"),
        ({"input_folder": "in", "mask_folder": "nowhere"}, "mask_folder"),
        ({"input_folder": "in", "text_folder": "nowhere"}, "text_folder"),
        ({"input_folder": "in", "request": {**REQUEST, "steps": 0}}, "steps"),
    ],
)
def test_what_cannot_be_is_refused_at_once(works, four, folder, plan, values, field):
    folder("empty")
    with pytest.raises(InvalidRequest) as caught:
        works.batches.start(plan(**values), CLIENT)
    assert caught.value.field == field and works.batches.all() == []


@pytest.mark.parametrize("field", ["input_folder", "output_folder", "mask_folder", "text_folder"])
@pytest.mark.parametrize("place", ["/", "../outside", "link"])
def test_strangers_name_folders_inside_the_data_folder_only(
    open_works, four, folder, plan, tmp_path, field, place
):
    works = open_works("--listen")
    (works.folders.data / "link").symlink_to(tmp_path)
    with pytest.raises(InvalidRequest, match="outside the data folder") as caught:
        works.batches.start(plan(**{"input_folder": "in", field: place}), CLIENT)
    assert caught.value.field == field
    assert works.batches.start(plan(input_folder="in"), CLIENT).state is BatchState.RUNNING


def test_a_flag_opens_all_folders(open_works, folder, plan, tmp_path, until):
    works = open_works("--listen", "--enable-insecure-folder-access")
    works.gate.open.set()
    folder("../elsewhere", a=picture())
    batch = works.batches.start(plan(input_folder=str(tmp_path / "elsewhere")), CLIENT)
    until(lambda: batch.state is BatchState.DONE)
