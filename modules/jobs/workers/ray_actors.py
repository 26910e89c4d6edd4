"""A worker as an actor of Ray: the servant behind two methods, `tell` and `listen`."""

import logging
import platform
import queue
import threading
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from modules.flags import Flags
from modules.jobs.workers.away import WorkerAway
from modules.jobs.workers.conversation import LinkLost
from modules.jobs.workers.messages import Ready, Report, Wish
from modules.jobs.workers.servant import Servant, open_servant

__all__ = ["ActorNeeds", "ActorPost", "RayWorker", "ServantActor", "cause_of_death"]

REPORTS_ON_THE_WAY = 64
"""More wait with the actor, which draws on only when the queue has listened."""
LISTEN_SECONDS = 0.5
THREADS = 4
"""One listens, the others hear wishes, so that these come in at once."""
ActorNeeds = dict[str, Any]
"""Ray's options of the actor: `num_gpus`, `num_cpus`, `runtime_env`."""


class ServantActor:
    """Runs on any machine of the cluster. Its methods are called by Ray in threads of their own."""

    def __init__(self, flags: Flags, name: str) -> None:
        logging.basicConfig(format=f"{name}: %(message)s", level=logging.WARNING)
        logging.getLogger("modules").setLevel(flags.loglevel or logging.INFO)
        self._reports: queue.Queue[Report] = queue.Queue(REPORTS_ON_THE_WAY)
        self._wishes: queue.SimpleQueue[Wish] = queue.SimpleQueue()
        self._servant: Servant | None = None
        self._opened = threading.Event()
        threading.Thread(target=self._work, args=(flags,), name="easel-servant", daemon=True).start()

    def _work(self, flags: Flags) -> None:
        servant = open_servant(
            flags,
            self._reports.put,
            f"So says the worker on the machine {platform.node()}: the folders of the models must be the "
            "same on every machine of the cluster.",
        )
        if servant:
            self._servant = servant
            self._opened.set()
            servant.work()

    def tell(self, wish: Wish) -> None:
        """Hear a wish."""
        self._opened.wait()
        if self._servant:
            self._servant.tell(wish)

    def listen(self, seconds: float) -> list[Report]:
        """What there is to report, waiting up to `seconds` for the first."""
        try:
            reports = [self._reports.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._reports.empty():
            reports.append(self._reports.get_nowait())
        return reports


class ActorPost:
    """A servant in an actor. It ends with the program that made it."""

    def __init__(self, flags: Flags, name: str, needs: ActorNeeds) -> None:
        """Ask the cluster for it; where no machine has room, it comes when one has."""
        try:
            actor = ray.remote(ServantActor).options(max_concurrency=THREADS, **needs)
            self._actor: Any = actor.remote(flags, name)
        except (RayError, ConnectionError, RuntimeError) as error:
            raise LinkLost(f"The Ray cluster does not answer: {error}.") from error
        self._heard: list[Report] = []
        self._listening: Any = None
        self._machine, self._fate = "", "stopped answering"

    def send(self, wish: Wish) -> None:
        """Tell the actor, without waiting. Raises LinkLost where Ray itself is gone; a dead actor is noticed
        by listening.
        """
        try:
            self._actor.tell.remote(wish)
        except (RayError, ConnectionError, RuntimeError) as error:
            raise self._lost(error) from error

    def receive(self, seconds: float) -> Report | None:
        """What the actor said. Raises LinkLost."""
        if not self._heard:
            self._listen(seconds)
        report = self._heard.pop(0) if self._heard else None
        if isinstance(report, Ready):
            self._machine = f" on {report.machine}"
        return report

    def _listen(self, seconds: float) -> None:
        try:
            if self._listening is None:
                self._listening = self._actor.listen.remote(LISTEN_SECONDS)
            self._heard = ray.get(self._listening, timeout=seconds)
            self._listening = None
        except GetTimeoutError:
            return
        except (RayError, ConnectionError, RuntimeError) as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> LinkLost:
        self._fate = f"died{self._machine} ({cause_of_death(str(error))})"
        return LinkLost(self._fate)

    def fate(self) -> str:
        """How the actor ended, in Ray's words."""
        return self._fate

    def kill(self) -> None:
        """End the actor."""
        if ray.is_initialized():
            ray.kill(self._actor)


def cause_of_death(message: str) -> str:
    """The clause that matters in what Ray says of an actor that died, which can be a page."""
    words = " ".join(message.split())
    _, _, cause = words.rpartition("The actor is dead because ")
    return cause.split(". ")[0].rstrip(".") or "no reason is known"


class RayWorker(WorkerAway):
    """Draws in an actor. When that dies, another is asked for, on whatever machine has room."""

    def __init__(self, flags: Flags, name: str, needs: ActorNeeds, cluster: Any) -> None:
        super().__init__(name, lambda: ActorPost(flags, name, needs))
        self._cluster = cluster

    def close(self) -> None:
        """End the actor; the last of its cluster lets go of that too."""
        super().close()
        self._cluster.leave(self)
