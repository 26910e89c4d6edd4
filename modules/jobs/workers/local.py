"""The worker in this process: the engine itself."""

from modules.generation import Engine, ModelFacts, Receive, Watcher, plan_run
from modules.jobs.work import Share

__all__ = ["LocalWorker"]


class LocalWorker:
    """Draws with the engine that the page and the API use too."""

    def __init__(self, engine: Engine, name: str = "this process") -> None:
        self._engine = engine
        self._name = name

    @property
    def name(self) -> str:
        """For the log and the page."""
        return self._name

    @property
    def hot(self) -> str | None:
        """Title of the checkpoint that is loaded."""
        model = self._engine.model
        return model.checkpoint.title if model else None

    def ready(self, seconds: float) -> bool:
        """Always."""
        return True

    def draw(self, share: Share, watcher: Watcher, receive: Receive) -> ModelFacts:
        """Draw the share here."""
        return self._engine.draw(plan_run(share.order), share.pictures, watcher, receive)

    def close(self) -> None:
        """Nothing to end: the engine is the house's."""
