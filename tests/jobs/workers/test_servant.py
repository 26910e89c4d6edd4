"""The talk between the queue and a servant, over queues in this process: real engine, real messages."""

import pickle
import queue
import threading

import pytest

from modules.errors import EaselError, InvalidRequest, NotFound
from modules.generation import Role
from modules.jobs import Share
from modules.jobs.workers.conversation import converse
from modules.jobs.workers.messages import (
    Draw,
    Failed,
    Failure,
    Finished,
    Handed,
    Look,
    Noted,
    Ready,
    Skip,
    Stop,
    StrangeFailure,
)
from modules.jobs.workers.servant import Servant

from .conftest import likeness


class Corridor:
    """A link to a servant in a thread of this process; everything goes through pickle, as it does elsewhere."""

    def __init__(self, engine, place=""):
        self.reports: queue.SimpleQueue = queue.SimpleQueue()
        self.told = []
        self.servant = Servant(engine, lambda report: self.reports.put(pickle.dumps(report)), place)
        self.thread = threading.Thread(target=self.servant.work, name="easel-servant", daemon=True)
        self.thread.start()
        assert isinstance(self.receive(60), Ready)

    def send(self, wish):
        self.told.append(wish)
        self.servant.tell(pickle.loads(pickle.dumps(wish)))

    def receive(self, seconds):
        try:
            return pickle.loads(self.reports.get(timeout=seconds))
        except queue.Empty:
            return None

    def close(self):
        self.servant.end()
        self.thread.join(60)


@pytest.fixture
def corridor(engine):
    corridor = Corridor(engine, "Said on node 7.")
    yield corridor
    corridor.close()


def share(order, *pictures):
    return Share("task(a)", order, pictures or tuple(range(order.pictures)))


def test_what_comes_is_what_the_engine_draws(corridor, order_of, ears, drawn_here):
    order, ear = order_of(batch_size=2, n_iter=2), ears()
    outcome = converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert isinstance(outcome, Finished)
    assert outcome.facts.stem == "tiny-sd1"
    assert outcome.hot is not None and outcome.hot.startswith("tiny-sd1")
    assert likeness(ear.drawn) == likeness(drawn_here(order))
    assert [report.done for report in ear.steps][-1] == ear.steps[-1].total == 8


def test_only_the_pictures_of_the_share_come_with_the_bits_of_their_batch(
    corridor, order_of, ears, drawn_here
):
    order, ear = order_of(batch_size=2, n_iter=2), ears()
    converse(corridor, 1, share(order, 3), ear, ear.drawn.append)
    assert likeness(ear.drawn) == likeness(drawn_here(order)[3:])


def test_the_picture_before_the_hires_pass_comes_too(corridor, order_of, ears):
    order = order_of(
        save=True, settings={"save_images_before_highres_fix": True},
        enable_hr=True, hr_scale=2, hr_upscaler="Latent", denoising_strength=0.6,
    )  # fmt: skip
    ear = ears()
    converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert [drawn.role for drawn in ear.drawn] == [Role.BEFORE_HIRES, Role.PICTURE]


def test_a_wish_to_stop_ends_the_share_after_the_step(corridor, order_of, ears):
    order, ear = order_of(steps=40, n_iter=3), ears(stop_at=2)
    outcome = converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert isinstance(outcome, Finished)
    assert [(drawn.index, drawn.complete) for drawn in ear.drawn] == [(0, False)]
    assert corridor.told.count(Stop(1)) == 1


def test_a_wish_to_skip_goes_to_the_batch_that_was_seen(corridor, order_of, ears):
    order, ear = order_of(steps=40, n_iter=3), ears(skip_at=42)
    converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert [(drawn.index, drawn.complete) for drawn in ear.drawn] == [(0, True), (1, False), (2, True)]
    assert Skip(1, 1) in corridor.told


def test_a_wish_to_skip_a_batch_that_is_past_skips_nothing(corridor, order_of, ears):
    order, ear = order_of(n_iter=2), ears()
    corridor.servant.tell(Skip(1, -5))
    converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert ear.finished == [0, 1]


def test_previews_are_made_while_somebody_looks(corridor, order_of, ears):
    looking, not_looking = ears(looks=True), ears()
    converse(corridor, 1, share(order_of(steps=8)), looking, looking.drawn.append)
    converse(corridor, 2, share(order_of(steps=8)), not_looking, not_looking.drawn.append)
    assert {image.size for image in looking.previews} == {(64, 64)}
    assert Look(2) not in corridor.told
    assert not_looking.previews == []


def test_a_preview_on_the_way_costs_the_picture_nothing(corridor, order_of, ears, drawn_here):
    order, ear = order_of(), ears(looks=True)
    converse(corridor, 1, share(order), ear, ear.drawn.append)
    assert likeness(ear.drawn) == likeness(drawn_here(order))


def test_an_error_keeps_its_kind_its_sentence_and_its_place(corridor, order_of, ears):
    order = order_of()
    lost = order.model_copy(
        update={"settings": {**order.settings, "sd_model_checkpoint": "gone.safetensors"}}
    )
    outcome = converse(corridor, 1, share(lost), ears(), lambda drawn: None)
    assert isinstance(outcome, Failed)
    error = outcome.failure.error()
    assert isinstance(error, NotFound)
    assert 'No checkpoint is called "gone.safetensors"' in str(error)
    assert str(error).endswith("Said on node 7.")


def test_after_an_error_the_next_share_is_drawn(corridor, order_of, ears):
    order, ear = order_of(), ears()
    lost = order.model_copy(
        update={"settings": {**order.settings, "sd_model_checkpoint": "gone.safetensors"}}
    )
    assert isinstance(converse(corridor, 1, share(lost), ears(), lambda drawn: None), Failed)
    assert isinstance(converse(corridor, 2, share(order), ear, ear.drawn.append), Finished)
    assert ear.finished == [0]


def test_who_cannot_keep_a_picture_stops_the_worker_and_the_next_share_is_its_own(corridor, order_of, ears):
    def refuse(drawn):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        converse(corridor, 1, share(order_of(n_iter=50)), ears(), refuse)
    assert Stop(1) in corridor.told
    ear = ears()
    converse(corridor, 2, share(order_of(prompt="a dog")), ear, ear.drawn.append)
    assert ear.finished == [0]
    assert "a dog" in ear.drawn[0].infotext


def test_a_checkpoint_that_came_later_is_found(corridor, order_of, ears, worker_flags):
    order = order_of()
    models = worker_flags.data_dir / "models" / "Stable-diffusion"
    newcomer = models / "newcomer.safetensors"
    newcomer.symlink_to(worker_flags.ckpt_dir / "tiny-sd1.safetensors")
    try:
        later = order.model_copy(update={"settings": {**order.settings, "sd_model_checkpoint": "newcomer"}})
        ear = ears()
        outcome = converse(corridor, 1, share(later), ear, ear.drawn.append)
    finally:
        newcomer.unlink()
    assert isinstance(outcome, Finished)
    assert outcome.facts.stem == "newcomer"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("steps", "Too many."), InvalidRequest),
        (NotFound("Gone."), NotFound),
        (EaselError("No memory."), EaselError),
        (ZeroDivisionError("division by zero"), StrangeFailure),
    ],
)
def test_an_error_travels_whole(error, kind):
    again = pickle.loads(pickle.dumps(Failure.of(error))).error()
    assert type(again) is kind
    assert str(error) in str(again)
    assert getattr(again, "field", None) == getattr(error, "field", None)


def test_messages_are_compared_and_travel_by_value(order_of):
    for message in (Draw(1, share(order_of())), Noted(2, "a sentence")):
        assert pickle.loads(pickle.dumps(message)) == message


def test_pixels_travel_without_loss(drawn_here, order_of):
    drawn = drawn_here(order_of())[0]
    again = pickle.loads(pickle.dumps(Handed(1, drawn))).drawn
    assert (again.image.mode, again.image.size) == (drawn.image.mode, drawn.image.size)
    assert again.image.tobytes() == drawn.image.tobytes()
