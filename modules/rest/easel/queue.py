"""The queue as a whole: its order, a pause, what a crash left."""

from fastapi import APIRouter

from modules.door import Router
from modules.house import House
from modules.rest.easel.answers import QueueAnswer
from modules.rest.easel.events import queue_answer
from modules.rest.errors import error_statuses

__all__ = ["queue_routes"]


def queue_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/easel/v1/queue", tags=["queue"], responses=error_statuses(503, 507))

    @router.get("")
    def get_queue() -> QueueAnswer:
        """The order of the work."""
        return queue_answer(house)

    @router.post("/pause")
    def pause() -> QueueAnswer:
        """Begin no further job. What runs goes on to its end."""
        house.queue.pause()
        return queue_answer(house)

    @router.post("/resume")
    def resume() -> QueueAnswer:
        """Go on after a pause."""
        house.queue.resume()
        return queue_answer(house)

    @router.post("/release")
    def release() -> QueueAnswer:
        """Let the jobs that a crash left go on, from their first picture that is missing."""
        house.queue.release_held()
        return queue_answer(house)

    @router.post("/discard")
    def discard() -> QueueAnswer:
        """Give up the jobs that a crash left. Their finished pictures stay."""
        house.queue.discard_held()
        return queue_answer(house)

    return router
