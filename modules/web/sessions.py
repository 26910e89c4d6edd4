"""Bounds on what Gradio keeps of each open page: without them a session stays as long as the program runs."""

import sys

import gradio as gr
from gradio.utils import LRUCache

__all__ = ["MOST_SESSIONS", "bound_sessions"]

MOST_SESSIONS = 24
"""Pages of which Gradio keeps the controls, about a megabyte each. One that was let go gets a new state with
its next event: no control of the page keeps anything there that the browser does not send along.
"""
MOST_LISTENERS = 300
"""Sessions whose messages are kept until their page fetches them."""
MOST_EVENTS = 500
"""Events that wait at the same time; none takes longer than a moment."""


def bound_sessions(page: gr.Blocks) -> None:
    """Let Gradio keep no more than this of whoever opens `page`."""
    page.queue(default_concurrency_limit=None, api_open=False, max_size=MOST_EVENTS)
    page.state_session_capacity = MOST_SESSIONS
    queue = page._queue
    queue.pending_messages_per_session = LRUCache(MOST_LISTENERS)
    queue.pending_event_ids_session = LRUCache(MOST_LISTENERS)
    # Figures about events are kept for a page of Gradio's that is closed here; each costs a table of pandas.
    queue.ANALYTICS_MAX_EVENTS = 1
    queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize
