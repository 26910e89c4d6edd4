"""Both outpaintings: the old picture stays, the run can be cut up and stopped, bad arguments are refused."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.generation import (
    Order,
    PictureRecord,
    SilentWatcher,
    parse_txt2img,
    picture_bytes,
    plan_run,
)
from modules.imaging import read_texts
from modules.proof import VerdictKind, verify_picture

MK2, POOR = "Outpainting mk2", "Poor man's outpainting"


def mk2(pixels=32, blur=0, directions=("left", "right", "up", "down"), exponent=1.0, variation=0.05):
    return ["", pixels, blur, list(directions), exponent, variation]


def poor(pixels=32, blur=0, content="fill", directions=("left", "right", "up", "down")):
    return [pixels, blur, content, list(directions)]


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and np.array_equal(np.asarray(one), np.asarray(other))


class Stopper(SilentWatcher):
    """Stops after `steps` steps, and remembers how far the run had come."""

    def __init__(self, steps: int = 1000) -> None:
        self.steps, self.reports = steps, []

    def on_step(self, report):
        self.reports.append(report)

    def should_stop(self):
        return bool(self.reports) and self.reports[-1].done >= self.steps


@pytest.mark.parametrize(
    ("name", "arguments", "size", "grown", "corner"),
    [
        (MK2, mk2(), (64, 64), (128, 128), (32, 32)),
        (MK2, mk2(8, directions=["right"]), (100, 70), (128, 70), (0, 0)),
        (MK2, mk2(16, directions=["left", "right"]), (35, 50), (128, 50), (46, 0)),
        (POOR, poor(directions=["left", "up"]), (64, 64), (128, 128), (64, 64)),
        (POOR, poor(8, content="original", directions=["down"]), (70, 100), (70, 128), (0, 0)),
        (POOR, poor(16, content="latent noise", directions=["left"]), (30, 50), (64, 50), (34, 0)),
    ],
)
def test_a_picture_grows_and_the_old_one_stays_to_the_bit(
    make, picture, name, arguments, size, grown, corner
):
    old = picture(*size)
    [new] = make(old, name, arguments)
    assert new.size == grown
    assert same(new.crop((*corner, corner[0] + size[0], corner[1] + size[1])), old)
    added = np.ones(grown[::-1], dtype=bool)
    added[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]] = False
    assert np.asarray(new)[added].std() > 10


def test_an_order_decides_every_bit_and_any_batch_of_it_can_be_drawn_alone(house, plan, make, picture):
    """As after a crash, or by several workers: mk2 in two batches of two."""
    asked = {"name": MK2, "arguments": mk2(blur=4, directions=["left"]), "n_iter": 2, "batch_size": 2}
    whole = make(picture(64, 64), **asked)
    assert len({each.tobytes() for each in whole}) == len(whole) == 4
    order = plan(picture(64, 64), **asked).order
    again, drawn = plan_run(Order.model_validate_json(order.model_dump_json())), []
    house.engine.draw(again, [3], SilentWatcher(), drawn.append)
    assert [each.index for each in drawn] == [3]
    assert same(drawn[0].image, whole[3])


def test_with_exact_batches_the_pictures_of_a_batch_are_those_made_alone(make, picture):
    old, arguments, exact = picture(64, 64), mk2(directions=["left"]), {"exact_batches": True}
    batch = make(old, MK2, arguments, exact, batch_size=2)
    alone = [make(old, MK2, arguments, exact, seed=seed)[0] for seed in (7, 8)]
    assert all(same(*pair) for pair in zip(batch, alone, strict=True))
    assert not same(*batch)


def test_poor_mans_outpainting_makes_one_picture_however_many_are_asked_for(plan, picture):
    run = plan(picture(64, 64), POOR, poor(), n_iter=3, batch_size=2)
    assert run.pictures == 1


@pytest.mark.parametrize(
    ("name", "arguments", "passes", "so_far"),
    [(MK2, mk2(directions=["left", "up"]), 2, (128, 64)), (POOR, poor(directions=["left"]), 2, (128, 64))],
)
def test_progress_counts_every_pass_and_an_interrupt_shows_what_there_is(
    house, plan, picture, name, arguments, passes, so_far
):
    run = plan(picture(64, 64), name, arguments, steps=3)
    watcher, drawn = Stopper(), []
    house.engine.draw(run, [0], watcher, drawn.append)
    done = [report.done for report in watcher.reports]
    assert done == sorted(done)
    assert done[-1] == watcher.reports[-1].total == passes * 3
    assert watcher.reports[-1].stage.startswith(f"Pass {passes} of {passes}")
    house.engine.draw(run, [0], Stopper(2), drawn.append)
    assert drawn[0].complete and not drawn[1].complete
    assert drawn[1].image.size == so_far


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("Outpainting mk3", [], "no script named 'Outpainting mk3'; .*Outpainting mk2, Poor man's"),
        (MK2, mk2(pixels="many"), "Outpainting mk2: Pixels to expand cannot be 'many'"),
        (MK2, mk2(pixels=0), "Pixels to expand cannot be 0: .* greater than or equal to 8"),
        (MK2, mk2(variation=2), "Color variation cannot be 2: .* less than or equal to 1"),
        (MK2, mk2(exponent=float("nan")), "Fall-off exponent .* cannot be nan"),
        (MK2, mk2(directions=["north"]), "Outpainting direction cannot be 'north': .*'left'"),
        (MK2, mk2(directions=[]), r"Outpainting direction cannot be \[\]"),
        (MK2, [*mk2(), 1], "takes 6 arguments; script_args holds 7"),
        (POOR, poor(content="paint"), "Masked content cannot be 'paint'"),
        (POOR, poor(pixels=64), "tiles of 64x64 that overlap by the pixels to expand, 64"),
        (POOR, poor(pixels=63), "here 16641 of them, and 1000 are the most"),
        (MK2, mk2(pixels=4096), "would grow to 8256x8256; a side can be 8192 at most"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door_in_a_sentence(plan, picture, name, arguments, sentence):
    with pytest.raises(InvalidRequest, match=sentence) as refused:
        plan(picture(64, 64), name, arguments)
    assert refused.value.field in ("script_name", "script_args")


def test_a_script_of_another_tab_is_refused(house):
    request = parse_txt2img({"script_name": "outpainting MK2"})
    with pytest.raises(InvalidRequest, match="is a script of img2img, not of txt2img"):
        house.engine.plan(request, house.store.options, house.styles)


def test_names_have_no_case_and_missing_arguments_take_their_defaults(plan, picture):
    run = plan(picture(64, 64), "poor MAN's outpainting", [32, None, 2])
    assert run.request.script_name == POOR
    assert run.request.script_args == (32, 4, "latent noise", ["left", "right", "up", "down"])


def test_text_and_record_tell_how_the_picture_was_made_and_it_can_be_made_again(house, plan, picture):
    run = plan(picture(64, 64), MK2, mk2(blur=2, directions=["up"]), n_iter=2)
    result = house.engine.make(run, SilentWatcher())
    assert "Denoising strength: 0.8" in result.infotexts[0]
    second = Image.open(io.BytesIO(picture_bytes(result.pictures[1], run)))
    record = PictureRecord.model_validate_json(read_texts(second).record)
    assert record.request["script_name"] == MK2
    assert tuple(record.request["script_args"]) == run.request.script_args
    start = base64.b64decode(run.request.init_images[0])
    assert verify_picture(second, house.engine, sources=[start]).kind is VerdictKind.SAME_BITS
