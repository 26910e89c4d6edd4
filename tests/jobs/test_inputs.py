"""The pictures that jobs start from lie in files by their contents: not in memory, not in the database."""

import base64
import hashlib
import io
import sqlite3

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import InputFiles, Order, parse_img2img
from modules.jobs import JobState, StoreUnavailable
from modules.settings import Options


def png(shade: int, size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


def sent(data: bytes) -> str:
    return base64.b64encode(data).decode()


def reference(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def redrawing():
    """A function from files to an order that starts from them."""

    def redrawing(*files: bytes, mask: bytes | None = None, **values) -> Order:
        given = {"init_images": [sent(data) for data in files], "mask": sent(mask) if mask else None}
        request = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, **given, **values}
        options = Options().overridden({"sd_model_checkpoint": "tiny-sd1"})
        return Order(request=parse_img2img(request), settings=options.model_dump(mode="json"))

    return redrawing


@pytest.fixture
def kept(folders):
    """A function that names the files that are kept now."""
    return lambda: {path.name for path in folders.inputs.glob("*")}


def digests(*files: bytes) -> set[str]:
    return {hashlib.sha256(data).hexdigest() for data in files}


def test_an_accepted_job_names_its_pictures_and_the_files_hold_the_bytes_as_sent(queue, folders, redrawing):
    picture, mask = png(1), png(2)
    job = queue.submit(redrawing(picture, mask=mask))
    assert job.order.request.init_images == (reference(picture),)
    assert job.order.request.mask == reference(mask)
    assert (folders.inputs / hashlib.sha256(picture).hexdigest()).read_bytes() == picture
    with sqlite3.connect(folders.database_file) as connection:
        (text,) = connection.execute("SELECT order_text FROM jobs").fetchone()
    assert sent(picture) not in text and reference(picture) in text


def test_who_draws_is_handed_the_pictures_themselves(queue, gate, redrawing):
    gate.open.set()
    job = queue.submit(redrawing(png(1), mask=png(2)))
    assert queue.wait(job, 30) and job.state is JobState.DONE
    assert gate.seen[0].order.request.init_images == (sent(png(1)),)
    assert gate.seen[0].order.request.mask == sent(png(2))


def test_jobs_that_start_from_the_same_picture_share_a_file_that_stays_until_the_last_is_forgotten(
    queue, gate, redrawing, kept
):
    gate.open.set()
    first, second = queue.submit(redrawing(png(1))), queue.submit(redrawing(png(1), png(2), batch_size=2))
    assert queue.wait(first, 30) and queue.wait(second, 30)
    queue.forget(second.id)
    assert kept() == digests(png(1))
    again = queue.retry(first.id)
    queue.forget(first.id)
    assert kept() == digests(png(1))
    assert queue.wait(again, 30) and again.state is JobState.DONE
    queue.forget_past()
    assert kept() == set()


def test_an_edited_job_starts_from_the_new_picture(queue, gate, redrawing):
    queue.submit(redrawing(png(9)))
    job = queue.submit(redrawing(png(1)))
    queue.edit(job.id, redrawing(png(2)))
    gate.open.set()
    assert queue.wait(job, 30)
    assert gate.seen[-1].order.request.init_images == (sent(png(2)),)


def test_a_job_may_be_sent_with_the_name_of_a_kept_picture_and_with_no_other(queue, redrawing):
    queue.submit(redrawing(png(1)))
    named = redrawing(png(1))
    named = named.model_copy(
        update={"request": named.request.model_copy(update={"init_images": (reference(png(1)),)})}
    )
    assert queue.submit(named).order.request.init_images == (reference(png(1)),)
    lost = named.model_copy(update={"request": named.request.model_copy(update={"mask": reference(png(7))})})
    with pytest.raises(InvalidRequest, match="not kept any more") as caught:
        queue.submit(lost)
    assert caught.value.field == "mask"


def test_what_past_jobs_started_from_is_bounded_and_what_waits_is_not_touched(
    make_queue, gate, redrawing, kept
):
    queue = make_queue(keep_inputs_bytes=len(png(1)))
    gate.passes.release(2)
    for shade in (1, 2):
        assert queue.wait(queue.submit(redrawing(png(shade))), 30)
    gate.started.clear()
    queue.submit(redrawing(png(3)))
    queue.submit(redrawing(png(4)))
    third = queue.submit(redrawing(png(5)))
    queue.cancel(third.id)
    queue.forget(third.id)
    assert kept() == digests(png(3), png(4))


def test_a_picture_that_somebody_removed_fails_its_job_with_a_sentence(queue, gate, folders, redrawing):
    queue.submit(redrawing(png(1)))
    job = queue.submit(redrawing(png(2)))
    (folders.inputs / hashlib.sha256(png(2)).hexdigest()).write_bytes(b"another")
    gate.open.set()
    assert queue.wait(job, 30)
    assert job.state is JobState.FAILED and "not kept any more" in str(job.error)


def test_a_row_of_an_older_version_with_the_picture_inside_is_drawn(make_queue, folders, gate, redrawing):
    queue = make_queue()
    job = queue.submit(redrawing(png(1)))
    queue.close()
    old = redrawing(png(1)).model_dump_json()
    with sqlite3.connect(folders.database_file) as connection:
        connection.execute("UPDATE jobs SET order_text = ?", [old])
    (folders.inputs / hashlib.sha256(png(1)).hexdigest()).unlink()
    gate.open.set()
    again = make_queue()
    assert again.wait(again.get(job.id), 30)
    assert again.get(job.id).state is JobState.DONE
    assert gate.seen[-1].order.request.init_images == (sent(png(1)),)


def test_a_start_goes_on_with_pictures_by_name(make_queue, gate, redrawing):
    queue = make_queue()
    job = queue.submit(redrawing(png(1)))
    queue.close()
    gate.open.set()
    again = make_queue()
    assert again.wait(again.get(job.id), 30)
    assert again.get(job.id).state is JobState.DONE


def test_nothing_is_accepted_where_the_picture_cannot_be_kept(queue, folders, redrawing):
    folders.inputs.write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailable, match="could not be kept"):
        queue.submit(redrawing(png(1)))
    assert queue.jobs() == []


def test_a_digest_is_the_same_whether_the_picture_is_named_or_inside(tmp_path, redrawing):
    files, order = InputFiles(tmp_path), redrawing(png(1), mask=png(2))
    named = files.laid_away(order.request)
    assert named.init_images != order.request.init_images
    assert files.brought_back(named) == order.request
