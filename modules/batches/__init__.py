"""Batches: every picture of a folder is redrawn by one request, a few at a time, until all are done."""

from modules.batches.batch import Batch, BatchState, Outcome, OutcomeKind
from modules.batches.batches import Batches
from modules.batches.book import BatchBook
from modules.batches.files import pictures_in
from modules.batches.making import SMALLEST_PICTURE, OrderOf, drawn_seeds, order_of_picture, scaled_size
from modules.batches.places import BatchPlaces, places_of
from modules.batches.plan import BatchPlan, PromptUse, TextProperty, request_values

__all__ = [
    "SMALLEST_PICTURE",
    "Batch",
    "BatchBook",
    "BatchPlaces",
    "BatchPlan",
    "BatchState",
    "Batches",
    "OrderOf",
    "Outcome",
    "OutcomeKind",
    "PromptUse",
    "TextProperty",
    "drawn_seeds",
    "order_of_picture",
    "pictures_in",
    "places_of",
    "request_values",
    "scaled_size",
]
