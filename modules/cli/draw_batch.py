"""`generate --batch-input`: every picture of a folder is redrawn, without a server."""

import logging
import signal
import sys
from collections.abc import Callable
from functools import partial

from modules.batches import (
    Batch,
    BatchBook,
    BatchPlan,
    BatchState,
    Outcome,
    OutcomeKind,
    drawn_seeds,
    order_of_picture,
    pictures_in,
    places_of,
)
from modules.cli.command import STOPPED
from modules.cli.terminal import TerminalWatcher
from modules.errors import EaselError, InvalidRequest
from modules.flags import Flags
from modules.generation import Order, plan_run
from modules.house import House

__all__ = ["draw_batch"]

log = logging.getLogger(__name__)

FAILED = 1
"""Exit status when a picture failed; what was wrong stands on standard error."""
CLIENT = "command line"


def draw_batch(house: House, plan: BatchPlan) -> int:
    """Redraw the pictures of the plan's folder and name the results on standard output; the exit status.

    One that fails is named and the rest goes on. Ctrl-C ends after the current step; the same plan once more
    goes on behind what is finished, and tries what failed. Raises EaselError for what all would fail of.
    """
    # Who types a command line is at this machine, whatever others may reach.
    places = places_of(plan, house.folders, Flags())
    book, order_of = BatchBook(house.folders.batches), partial(house.order, save=True)
    batch = _batch(
        book, plan, pictures_in(places.pictures, "batch_input"), partial(drawn_seeds, plan, order_of)
    )
    watcher = TerminalWatcher(sys.stderr, lambda picture: None)
    before = signal.signal(signal.SIGINT, lambda *_: watcher.stop())
    try:
        for number in batch.left:
            order = partial(order_of_picture, batch.names[number], batch.plan, places, order_of)
            outcome = _redrawn(house, order, watcher)
            if outcome.kind is OutcomeKind.FAILED:
                watcher.on_note(f"{batch.names[number]}: {outcome.sentence}")
            book.note(batch, number, outcome)
            if watcher.should_stop():
                break
    finally:
        signal.signal(signal.SIGINT, before)
    watcher.on_note(f"{batch.summary}.")
    if batch.left or batch.of_kind(OutcomeKind.FAILED):
        return STOPPED if batch.left else FAILED
    book.discard(batch)
    return 0


def _redrawn(house: House, make_order: Callable[[], Order], watcher: TerminalWatcher) -> Outcome:
    """Draw what comes of one picture and name the files; what became of it."""
    try:
        order = make_order()
        result = house.engine.make(plan_run(order), watcher)
    except EaselError as error:
        return Outcome(OutcomeKind.FAILED, str(error))
    except Exception as error:  # whatever one picture does to a reader, the others are drawn
        log.exception("A picture of the batch cannot be drawn.")
        return Outcome(OutcomeKind.FAILED, f"It cannot be drawn: {type(error).__name__}; the log has more.")
    made = [each for each in result.pictures if not each.is_grid]
    if unsaved := next((each.unsaved for each in made if each.unsaved), None):
        return Outcome(OutcomeKind.FAILED, unsaved)
    paths = [each.path for each in made if each.path]
    sys.stdout.writelines(f"{path}\n" for path in paths)
    sys.stdout.flush()
    return Outcome(OutcomeKind.DONE if len(paths) == order.pictures else OutcomeKind.AGAIN)


def _batch(
    book: BatchBook, plan: BatchPlan, names: tuple[str, ...], draw_seeds: Callable[[], dict[str, int]]
) -> Batch:
    """The batch that this command line began before, or a new one. To the server it is a stopped one."""
    if not names:
        raise InvalidRequest("batch_input", f"There is no picture in {plan.input_folder}.")
    known = next((each for each in book.read_all() if each.is_of(plan) and each.client == CLIENT), None)
    if known is None:
        plan = plan.model_copy(update={"seeds": draw_seeds()})
        return book.new(plan, names, client=CLIENT, state=BatchState.STOPPED)
    for name in known.of_kind(OutcomeKind.FAILED):
        book.note(known, known.names.index(name), Outcome(OutcomeKind.AGAIN))
    known.names += tuple(name for name in names if name not in set(known.names))
    book.write(known, BatchState.STOPPED)
    return known
