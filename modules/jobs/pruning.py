"""Letting go of old jobs: their rows, their spool folders, the pictures that they started from.

The outputs are never touched.
"""

import logging
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate

from modules.jobs.errors import StoreUnavailable
from modules.jobs.inputs import InputKeeper
from modules.jobs.ledger import PictureBook
from modules.jobs.rules import QueueRules
from modules.jobs.store import JobStore

__all__ = ["forget_numbers", "prune"]

log = logging.getLogger(__name__)

SECONDS_OF_A_DAY = 86400.0


def prune(store: JobStore, book: PictureBook, inputs: InputKeeper, rules: QueueRules) -> None:
    """Forget the jobs that the rules keep no longer. What cannot be done now is left to the next time."""
    oldest = time.time() - rules.keep_days * SECONDS_OF_A_DAY if rules.keep_days else 0.0
    with suppress(StoreUnavailable):
        forget_numbers(store, book, store.outlived(rules.keep_jobs, oldest))
        forget_numbers(store, book, beyond(rules.keep_spool_bytes, book.spooled(store.ended_numbers())))
        inputs.sweep(rules.keep_inputs_bytes)


def beyond(most_bytes: int, sizes: Sequence[tuple[int, int]]) -> list[int]:
    """Of numbers with sizes, newest first, those past `most_bytes` in all; the first one always stays."""
    totals = zip(sizes, accumulate(size for _, size in sizes), strict=True)
    return [number for (number, _), total in list(totals)[1:] if total > most_bytes]


def forget_numbers(store: JobStore, book: PictureBook, numbers: list[int]) -> None:
    """Remove the rows of these jobs, then their spool folders. Raises StoreUnavailable."""
    store.forget(numbers)
    for number in numbers:
        shutil.rmtree(book.spool(number), ignore_errors=True)
