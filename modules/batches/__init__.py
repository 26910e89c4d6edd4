"""Batches: every picture of a folder is redrawn by one request, a few at a time, until all are done."""

from modules.batches.batch import Batch, BatchState, Outcome, OutcomeKind
from modules.batches.batches import Batches
from modules.batches.making import SMALLEST_PICTURE, OrderOf
from modules.batches.plan import BatchPlan, PromptUse, TextProperty, request_values

__all__ = [
    "SMALLEST_PICTURE",
    "Batch",
    "BatchPlan",
    "BatchState",
    "Batches",
    "OrderOf",
    "Outcome",
    "OutcomeKind",
    "PromptUse",
    "TextProperty",
    "request_values",
]
